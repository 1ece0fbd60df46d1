"""Consents: give, look at, withdraw."""

from __future__ import annotations

from collections.abc import Collection

from idp import clock
from idp.rules import authorization_details
from idp.rules.authorization_details import Details
from idp.stores.durable import audit, consents, decoupled_requests, grants
from idp.stores.durable.db import transaction


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
    """Take back what a client may have; its grants end at once (SR-88). False when there was nothing."""
    with transaction():
        withdrawn = consents.withdraw(account_id, client_id)
        if withdrawn:
            grants.end_client(account_id, client_id, now=clock.now())
            decoupled_requests.take_back(account_id, client_id)
            audit.record("consent.withdrawn", account_id=account_id, client_id=client_id)
    return withdrawn
