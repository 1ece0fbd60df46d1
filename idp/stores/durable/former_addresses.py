"""Addresses that accounts have left: for some days they lead back to their account, and to no other."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, delete, select

from idp.stores.durable.accounts import email_index
from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault
from idp.stores.durable.upserts import insert

former_addresses = Table(
    "former_addresses",
    db.metadata,
    Column("email_index", LargeBinary(32), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("email", LargeBinary, nullable=False),
    Column("left_at", Instant, nullable=False),
    Column("kept_until", Instant, nullable=False, index=True),
)


def keep(account_id: str, canonical: str, typed: str, *, now: datetime, until: datetime) -> None:
    """Keep an address for the account that has just left it. Joins the caller's transaction."""
    index = email_index(canonical)
    values = {
        "account_id": account_id,
        "email": vault().seal(typed, place="former_addresses.email", row=index.hex()),
        "left_at": now,
        "kept_until": until,
    }
    with transaction() as connection:
        made = insert(connection, former_addresses).values(email_index=index, **values)
        connection.execute(made.on_conflict_do_update(index_elements=["email_index"], set_=values))


def owner(canonical: str, *, now: datetime) -> str | None:
    """The account that an address is kept for."""
    statement = select(former_addresses.c.account_id).where(
        former_addresses.c.email_index == email_index(canonical), former_addresses.c.kept_until > now
    )
    with reading() as connection:
        return connection.execute(statement).scalar_one_or_none()


def of_account(account_id: str, *, now: datetime) -> list[str]:
    """The addresses, as typed, that an account has left and that are kept for it; oldest first."""
    statement = (
        select(former_addresses.c.email_index, former_addresses.c.email)
        .where(former_addresses.c.account_id == account_id, former_addresses.c.kept_until > now)
        .order_by(former_addresses.c.left_at)
    )
    with reading() as connection:
        rows = connection.execute(statement).all()
    return [vault().open(row.email, place="former_addresses.email", row=bytes(row.email_index).hex()) for row in rows]


def drop(canonical: str, account_id: str) -> None:
    """Keep it no longer: the account has it again."""
    index = email_index(canonical)
    with transaction() as connection:
        connection.execute(
            delete(former_addresses).where(
                former_addresses.c.email_index == index, former_addresses.c.account_id == account_id
            )
        )


def drop_since(account_id: str, *, since: datetime) -> None:
    """Keep none that was left since then: what changed them is undone."""
    with transaction() as connection:
        connection.execute(
            delete(former_addresses).where(
                former_addresses.c.account_id == account_id, former_addresses.c.left_at >= since
            )
        )


def forget(*, now: datetime) -> None:
    """Delete those that have been kept long enough: from now on anybody may sign up with them."""
    with transaction() as connection:
        connection.execute(delete(former_addresses).where(former_addresses.c.kept_until <= now))
