"""Consents: give, look at, withdraw."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from idp import clock
from idp.rules import authorization_details
from idp.rules.authorization_details import Details
from idp.services import logout
from idp.stores.durable import audit, consents, decoupled_requests, grants, grants_given
from idp.stores.durable.consents import Agreed
from idp.stores.durable.db import transaction
from idp.stores.durable.grants_given import Given


@dataclass(frozen=True, slots=True)
class Service:
    """One client with access: what was agreed to, where it had to ask, and what it got, the newest first."""

    client_id: str
    agreed: Agreed | None
    given: tuple[Given, ...]


def give(account_id: str, client_id: str, scopes: Collection[str], details: Details = ()) -> None:
    """Let a client have these scopes and details, until the person withdraws them (SR-76)."""
    kinds = sorted({kind for detail in details for kind in detail.datatypes})
    told = {"scopes": " ".join(sorted(scopes)), **({"records": " ".join(kinds)} if kinds else {})}
    with transaction():
        consents.give(account_id, client_id, scopes, details, now=clock.now())
        audit.record("consent.given", account_id=account_id, client_id=client_id, details=told)


def lacking(account_id: str, client_id: str, scopes: Collection[str]) -> tuple[str, ...]:
    """Those of the scopes that this person has not agreed to, in the order asked for."""
    given = consents.given(account_id, client_id)
    return tuple(scope for scope in scopes if scope not in given)


def lacking_details(account_id: str, client_id: str, details: Details) -> Details:
    """Those of the details that this person has not agreed to: whoever agreed to less is asked for the rest."""
    if not details:
        return ()
    return authorization_details.lacking(details, consents.details_given(account_id, client_id))


def withdraw(account_id: str, client_id: str) -> bool:
    """Take back what a client may have; its grants end at once (SR-88), and it hears that the person has left it.

    False when there was nothing. A client that asks for no consent has grants all the same.
    """
    with transaction():
        agreed = consents.withdraw(account_id, client_id)
        told = logout.tell_one(account_id, client_id)
        withdrawn = grants.end_client(account_id, client_id, now=clock.now()) > 0 or agreed
        decoupled_requests.take_back(account_id, client_id)
        if withdrawn or told:
            audit.record("consent.withdrawn", account_id=account_id, client_id=client_id)
    return withdrawn


def services(account_id: str) -> list[Service]:
    """The clients that may have something now, each with what it was let have and what it got."""
    agreed = {one.client_id: one for one in consents.of_account(account_id)}
    given: dict[str, list[Given]] = {}
    for one in grants_given.of_account(account_id, now=clock.now()):
        given.setdefault(one.grant.client_id, []).append(one)
    having = {client_id for client_id, got in given.items() if any(one.counts for one in got)}
    return [
        Service(client_id, agreed.get(client_id), tuple(given.get(client_id, ())))
        for client_id in sorted({*agreed, *having})
    ]
