"""Consents: give, look at, withdraw."""

from __future__ import annotations

from collections.abc import Collection

from idp import clock
from idp.stores.durable import audit, consents, grants
from idp.stores.durable.db import transaction


def give(account_id: str, client_id: str, scopes: Collection[str]) -> None:
    """Let a client have these scopes, until the person withdraws them (SR-76)."""
    with transaction():
        consents.give(account_id, client_id, scopes, now=clock.now())
        audit.record(
            "consent.given", account_id=account_id, client_id=client_id, details={"scopes": " ".join(sorted(scopes))}
        )


def lacking(account_id: str, client_id: str, scopes: Collection[str]) -> tuple[str, ...]:
    """Those of the scopes that this person has not agreed to, in the order asked for."""
    given = consents.given(account_id, client_id)
    return tuple(scope for scope in scopes if scope not in given)


def withdraw(account_id: str, client_id: str) -> bool:
    """Take back what a client may have; its grants end at once (SR-88). False when there was nothing."""
    with transaction():
        withdrawn = consents.withdraw(account_id, client_id)
        if withdrawn:
            grants.end_client(account_id, client_id, now=clock.now())
            audit.record("consent.withdrawn", account_id=account_id, client_id=client_id)
    return withdrawn
