"""Recovery codes: what is kept of them is a keyed hash of the first group, to find one by, and a password hash.

Under 112 bits a password hash is asked for (63B §3.1.2.2, SR-39); the keyed hash makes it one hash a try, not ten.
A code that is used stays until the list is made anew, so that its owner can be told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table, delete, func, insert, select, update

from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault

recovery_codes = Table(
    "recovery_codes",
    db.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("found_by", LargeBinary(32), primary_key=True),
    Column("verifier", String(512), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One code as it is kept."""

    found_by: bytes
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Left:
    """How many codes of a list are left, and when it was made."""

    count: int
    made_at: datetime


def finder(account_id: str, group: str) -> bytes:
    """What a code of this account is found by: a keyed hash of its first group."""
    return vault().index(f"{account_id}|{group}", purpose="recovery codes")


def replace(account_id: str, fresh: Iterable[Kept], *, now: datetime) -> None:
    """Keep these codes, in place of any before. Joins the caller's transaction."""
    rows = [
        {"account_id": account_id, "found_by": one.found_by, "verifier": one.verifier, "made_at": now, "used_at": None}
        for one in fresh
    ]
    with transaction() as connection:
        connection.execute(delete(recovery_codes).where(recovery_codes.c.account_id == account_id))
        connection.execute(insert(recovery_codes), rows)


def find(account_id: str, found_by: bytes) -> Kept | None:
    """The code of this account with this first group, used or not."""
    statement = select(recovery_codes).where(
        recovery_codes.c.account_id == account_id, recovery_codes.c.found_by == found_by
    )
    with reading() as connection:
        row = connection.execute(statement).first()
    return None if row is None else Kept(bytes(row.found_by), row.verifier)


def spend(account_id: str, kept: Kept, *, now: datetime) -> bool:
    """Use this code. True for exactly one of any number of callers; false, too, when the list was made anew."""
    statement = (
        update(recovery_codes)
        .where(recovery_codes.c.account_id == account_id, recovery_codes.c.found_by == kept.found_by)
        .where(recovery_codes.c.verifier == kept.verifier, recovery_codes.c.used_at.is_(None))
        .values(used_at=now)
    )
    with transaction() as connection:
        return connection.execute(statement).rowcount == 1


def left(account_id: str) -> Left | None:
    """How many are left; None for an account that never made any."""
    unused = func.count().filter(recovery_codes.c.used_at.is_(None))
    statement = select(unused, func.max(recovery_codes.c.made_at)).where(recovery_codes.c.account_id == account_id)
    with reading() as connection:
        count, made_at = connection.execute(statement).one()
    return None if made_at is None else Left(count, made_at)
