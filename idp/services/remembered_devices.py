"""Remembered devices: they stand in for the second step of an ordinary sign-in, and for nothing else (SR-43).

Where somebody must have been proved lately, or as somebody in particular, they count for nothing: that is in
`rules.assurance` and in the facts of journeys. Every change of a password or factor forgets them all.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from idp import clock
from idp.rules.assurance import REMEMBERED, Proof
from idp.stores.durable import audit, remembered_devices
from idp.stores.durable.db import transaction
from idp.stores.durable.remembered_devices import RememberedDevice

__all__ = ["RememberedDevice", "expire", "forget", "forget_all", "of_account", "proof_of", "recognised", "remember"]


def remember(account_id: str, *, held: str | None, device: str, proved: Proof, days: int) -> str:
    """Remember the browser in which `proved` was just given, and return the value it holds from now on.

    `held` is the value it held until now. Joins the caller's transaction.
    """
    value = secrets.token_urlsafe(32)
    with transaction():
        remembered_devices.add(
            account_id,
            _digest(value),
            before=None if held is None else _digest(held),
            device=device[:120],
            proved_at=proved.at,
            expires_at=proved.at + timedelta(days=days),
        )
        audit.record("device.remembered", account_id=account_id, details={"days": days})
    return value


def proof_of(account_id: str, held: str | None, *, days: int) -> Proof | None:
    """What the browser with this value stands for: the second step that was really proved in it, at that instant.

    `days` is how long that may be ago now, whatever it was then; 0 for never.
    """
    found = remembered_devices.find(account_id, _digest(held)) if held and days else None
    if found is None:
        return None
    now, until = clock.now(), min(found.expires_at, found.proved_at + timedelta(days=days))
    if until <= now:
        remembered_devices.forget(account_id, found.id)  # for good, wherever the clock may go
        return None
    return Proof(REMEMBERED, found.proved_at, until) if found.proved_at <= now else None


def recognised(account_id: str, held: str) -> None:
    """A sign-in rests on it. Joins the caller's transaction."""
    with transaction():
        remembered_devices.used(account_id, _digest(held), now=clock.now())
        audit.record("device.recognised", account_id=account_id)


def of_account(account_id: str) -> list[RememberedDevice]:
    """The browsers that an account is not asked for codes in, the last used first."""
    return [one for one in remembered_devices.of_account(account_id) if one.expires_at > clock.now()]


def forget(account_id: str, device_id: str) -> bool:
    """Ask for codes in this browser again. False when this account has none of that id."""
    return _forgotten(account_id, device_id) > 0


def forget_all(account_id: str) -> int:
    """Ask for codes everywhere again; how many browsers that were. Joins the caller's transaction."""
    return _forgotten(account_id, None)


def expire() -> int:
    """Delete what has run out; how many."""
    return remembered_devices.expire(now=clock.now())


def _forgotten(account_id: str, device_id: str | None) -> int:
    with transaction():
        gone = remembered_devices.forget(account_id, device_id)
        if gone:
            audit.record("device.forgotten", account_id=account_id, details={"devices": gone})
    return gone


def _digest(value: str) -> bytes:
    return sha256(value.encode()).digest()
