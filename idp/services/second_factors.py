"""Authenticator app and recovery codes of an account: keep, remove, look at. Each act is one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from idp import clock
from idp.rules.factor_policy import leaves_a_second_step
from idp.services import credentials, notices
from idp.stores.durable import accounts, audit, authenticator_apps, recovery_codes
from idp.stores.durable.db import transaction
from idp.stores.durable.recovery_codes import Kept, Left

__all__ = [
    "Kept",
    "Left",
    "app_added_at",
    "app_stands",
    "can_lose",
    "keep_app",
    "keep_codes",
    "recovery_codes_of",
    "remove_app",
]


def keep_app(account_id: str, secret: str, *, step: int, device: str) -> None:
    """This app, confirmed by the code of time step `step`; any before is gone with the same write (SR-35, SR-36)."""
    with transaction():
        accounts.hold(account_id)
        authenticator_apps.add(account_id, secret, step=step, now=clock.now())
        credentials.factor_changed(account_id, "totp")
        audit.record("app.added", account_id=account_id)
        notices.app_added(account_id, device=device)


def remove_app(account_id: str, *, device: str) -> bool:
    """Forget the app. False, and nothing is done, when there is none or no second step would be left."""
    with transaction():
        accounts.hold(account_id)
        if not can_lose(account_id, "totp") or not authenticator_apps.remove(account_id):
            return False
        credentials.factor_changed(account_id, "totp")
        audit.record("app.removed", account_id=account_id)
        notices.app_removed(account_id, device=device)
    return True


def keep_codes(account_id: str, fresh: Iterable[Kept], *, device: str) -> None:
    """These recovery codes; those before are worth nothing from the same write on (SR-39)."""
    with transaction():
        accounts.hold(account_id)
        recovery_codes.replace(account_id, fresh, now=clock.now())
        credentials.factor_changed(account_id, "recovery_code")
        audit.record("recovery-codes.made", account_id=account_id)
        notices.recovery_codes_made(account_id, device=device)


def app_stands(account_id: str, proved: Iterable[datetime]) -> bool:
    """Whether codes of an app that were given at these instants still count: it is there, and no other than then.

    Inside a transaction of a change of factors, which holds the account.
    """
    added_at = authenticator_apps.added_at(account_id)
    return all(added_at is not None and added_at <= at for at in proved)


def can_lose(account_id: str, factor: str) -> bool:
    """Whether the account can be signed in to for good without this factor."""
    return leaves_a_second_step(name for name in credentials.enrolled(account_id) if name != factor)


def app_added_at(account_id: str) -> datetime | None:
    """When the account's app was set up; None without one."""
    return authenticator_apps.added_at(account_id)


def recovery_codes_of(account_id: str) -> Left | None:
    """How many codes are left and when they were made; None for an account that never made any."""
    return recovery_codes.left(account_id)
