"""Codes that support gives a person who has lost the phone: one open per account, used once, kept as a digest."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, delete, select

from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault
from idp.stores.durable.upserts import insert

support_codes = Table(
    "support_codes",
    db.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)


def open_for(account_id: str, code: str, *, now: datetime, until: datetime) -> None:
    """Keep this code for an account, in place of any before. Joins the caller's transaction."""
    values = {"digest": _digest(account_id, code), "started_at": now, "expires_at": until}
    with transaction() as connection:
        made = insert(connection, support_codes).values(account_id=account_id, **values)
        connection.execute(made.on_conflict_do_update(index_elements=["account_id"], set_=values))


def is_open(account_id: str, *, now: datetime) -> bool:
    """Whether support has opened a recovery of this account."""
    statement = select(support_codes.c.account_id).where(
        support_codes.c.account_id == account_id, support_codes.c.expires_at > now
    )
    with reading() as connection:
        return connection.execute(statement).first() is not None


def spend(account_id: str, code: str, *, now: datetime) -> bool:
    """Use the code of an account: True for exactly one of any number of callers, and for none after its time."""
    statement = delete(support_codes).where(
        support_codes.c.account_id == account_id,
        support_codes.c.digest == _digest(account_id, code),
        support_codes.c.expires_at > now,
    )
    with transaction() as connection:
        return connection.execute(statement).rowcount == 1


def drop(account_id: str) -> bool:
    """Close the recovery of an account. False when none was open."""
    with transaction() as connection:
        return connection.execute(delete(support_codes).where(support_codes.c.account_id == account_id)).rowcount == 1


def forget(*, now: datetime) -> None:
    """Delete those whose time is over."""
    with transaction() as connection:
        connection.execute(delete(support_codes).where(support_codes.c.expires_at <= now))


def _digest(account_id: str, code: str) -> bytes:
    return vault().index(f"{account_id}:{code}", purpose="support code")
