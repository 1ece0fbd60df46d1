"""Remembered devices: browsers in which the second step of an account was proved, by their own wish (SR-43).

A browser holds one random value for all of its accounts; here is its digest. It is a new value whenever another
account is remembered, so one that was planted beforehand is worth nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, LargeBinary, Row, String, Table, delete, insert, select, update

from idp.stores.durable.db import Instant, db, reading, transaction

remembered_devices = Table(
    "remembered_devices",
    db.metadata,
    Column("id", String(32), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False, index=True),
    Column("device", String(120), nullable=False),
    Column("proved_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class RememberedDevice:
    """One browser of one account."""

    id: str
    device: str
    """Device and browser in plain words; empty when they are not known."""
    proved_at: datetime
    """When the second step was really proved there."""
    used_at: datetime
    expires_at: datetime


def add(
    account_id: str, digest: bytes, *, before: bytes | None, device: str, proved_at: datetime, expires_at: datetime
) -> None:
    """Remember a browser under a new digest, and what it was remembered for `before` as well. Joins the transaction."""
    held = remembered_devices.c.digest == before
    with transaction() as connection:
        connection.execute(delete(remembered_devices).where(held, remembered_devices.c.account_id == account_id))
        connection.execute(update(remembered_devices).where(held).values(digest=digest))
        connection.execute(
            insert(remembered_devices).values(
                id=secrets.token_hex(16),
                account_id=account_id,
                digest=digest,
                device=device,
                proved_at=proved_at,
                used_at=proved_at,
                expires_at=expires_at,
            )
        )


def find(account_id: str, digest: bytes) -> RememberedDevice | None:
    """The browser of this digest, if this account knows it; whether it still counts is for the caller to say."""
    mine = _of(account_id).where(remembered_devices.c.digest == digest)
    with reading() as connection:
        row = connection.execute(mine).first()
    return None if row is None else _device(row)


def used(account_id: str, digest: bytes, *, now: datetime) -> None:
    """A sign-in rested on it."""
    statement = update(remembered_devices).where(
        remembered_devices.c.account_id == account_id, remembered_devices.c.digest == digest
    )
    with transaction() as connection:
        connection.execute(statement.values(used_at=now))


def of_account(account_id: str) -> list[RememberedDevice]:
    """All that an account has, the last used first."""
    with reading() as connection:
        rows = connection.execute(_of(account_id).order_by(remembered_devices.c.used_at.desc())).all()
    return [_device(row) for row in rows]


def forget(account_id: str, device_id: str | None = None) -> int:
    """Forget one browser of an account, or all; how many there were. Joins the caller's transaction."""
    statement = delete(remembered_devices).where(remembered_devices.c.account_id == account_id)
    if device_id is not None:
        statement = statement.where(remembered_devices.c.id == device_id)
    with transaction() as connection:
        return connection.execute(statement).rowcount


def expire(*, now: datetime) -> int:
    """Delete those past their end: a clock that is set back revives none. How many."""
    with transaction() as connection:
        return connection.execute(delete(remembered_devices).where(remembered_devices.c.expires_at <= now)).rowcount


def _of(account_id: str) -> Any:
    return select(remembered_devices).where(remembered_devices.c.account_id == account_id)


def _device(row: Row[Any]) -> RememberedDevice:
    return RememberedDevice(row.id, row.device, row.proved_at, row.used_at, row.expires_at)
