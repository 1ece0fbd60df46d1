"""Passkeys of an account: which there are, keeping a new one, giving one a name, removing one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from idp import clock
from idp.rules.passkeys import NewPasskey, keeper_of
from idp.services import credentials, sessions
from idp.services import notices as tell
from idp.stores.durable import audit, passkeys
from idp.stores.durable.db import transaction
from idp.stores.durable.passkeys import NotKept

__all__ = ["Listed", "NotKept", "add", "count", "listed", "owner", "remove", "rename", "stand"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A passkey as its owner sees it. `name` is their own for it, else the public name of who keeps it, else empty."""

    id: str
    credential_id: bytes
    name: str
    is_synced: bool
    created_at: datetime
    last_used_at: datetime | None


def listed(account_id: str) -> list[Listed]:
    """The passkeys of an account, the oldest first."""
    return [
        Listed(
            id=one.id,
            credential_id=one.credential_id,
            name=one.name or keeper_of(one.aaguid),
            is_synced=one.may_be_synced,
            created_at=one.created_at,
            last_used_at=one.last_used_at,
        )
        for one in passkeys.of_account(account_id)
    ]


def count(account_id: str) -> int:
    """How many there are."""
    return passkeys.count(account_id)


def owner(account_id: str) -> bytes:
    """What stands for the account's owner on authenticators."""
    return passkeys.handle_of(account_id)


def add(account_id: str, new: NewPasskey, *, device: str) -> None:
    """Keep a new one, and tell its owner. Joins the caller's transaction. Raises `NotKept`."""
    with transaction():
        passkeys.add(account_id, new, now=clock.now())
        credentials.factor_changed(account_id, "passkey")
        audit.record("passkey.added", account_id=account_id, details={"synced": new.may_be_synced})
        tell.passkey_added(account_id, device=device)


def rename(account_id: str, id: str, name: str) -> bool:
    """Let its owner call it something else. False when there is none."""
    return passkeys.rename(account_id, id, name)


def remove(account_id: str, id: str, *, device: str, except_sid: str | None) -> bool:
    """Forget one, end the account's other sessions, since one who holds it may be no friend, and tell its owner."""
    with transaction():
        if not passkeys.remove(account_id, id):
            return False
        credentials.factor_changed(account_id, "passkey")
        sessions.end_all(account_id, except_sid=except_sid, reason="passkey removed")
        audit.record("passkey.removed", account_id=account_id)
        tell.passkey_removed(account_id, device=device)
    return True


def stand(account_id: str, ids: tuple[str, ...]) -> bool:
    """Whether none of these was removed meanwhile. Inside a transaction the answer holds until its end."""
    return passkeys.hold(account_id, ids)
