"""Accounts: a person's record here. The id is the `sub`, random and never used again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, Row, String, Table, case, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault

accounts = Table(
    "accounts",
    db.metadata,
    Column("id", String(64), primary_key=True),
    Column("email_index", LargeBinary(32), nullable=False, unique=True),
    Column("email", LargeBinary, nullable=False),
    Column("status", String(16), nullable=False),
    Column("locale", String(16), nullable=False),
    Column("time_zone", String(64)),
    Column("leaves_at", Instant, index=True),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)


LEAVING = "leaving"
"""The status of an account that will be erased: it counts for nothing, and its owner may sign in to keep it."""


class AddressTaken(Exception):
    """Another account has this address: parallel sign-ups yield one account (SR-49)."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `email` is as its owner typed it."""

    id: str
    email: str = field(repr=False)
    active: bool
    locale: str
    created_at: datetime
    updated_at: datetime
    time_zone: str | None = None
    """The one its owner chose, by its IANA name."""
    leaves_at: datetime | None = None
    """When it will be erased, where its owner has asked for that."""

    @property
    def lets_in(self) -> bool:
        """Whether its owner may sign in, if only to keep it."""
        return self.active or self.leaves_at is not None


def email_index(canonical: str) -> bytes:
    """The keyed hash by which an address is looked up."""
    return vault().index(canonical, purpose="email")


def create(canonical: str, typed: str, *, locale: str, now: datetime) -> str:
    """Make an account and return its id. Joins the caller's transaction. Raises `AddressTaken`."""
    account_id = secrets.token_hex(16)
    row = {
        "id": account_id,
        "email_index": email_index(canonical),
        "email": vault().seal(typed, place="accounts.email", row=account_id),
        "status": "active",
        "locale": locale,
        "created_at": now,
        "updated_at": now,
    }
    with transaction() as connection:
        try:
            with connection.begin_nested():
                connection.execute(insert(accounts).values(row))
        except IntegrityError as problem:
            raise AddressTaken from problem
    return account_id


def by_address(canonical: str) -> Account | None:
    """The account of an address in its canonical form."""
    with reading() as connection:
        row = connection.execute(select(accounts).where(accounts.c.email_index == email_index(canonical))).first()
    return _account(row)


def by_id(account_id: str) -> Account | None:
    """The account of an id."""
    with reading() as connection:
        row = connection.execute(select(accounts).where(accounts.c.id == account_id)).first()
    return _account(row)


def set_address(account_id: str, canonical: str, typed: str, *, now: datetime) -> None:
    """Give the account this address. Joins the caller's transaction. Raises `AddressTaken` (SR-49)."""
    values = {
        "email_index": email_index(canonical),
        "email": vault().seal(typed, place="accounts.email", row=account_id),
        "updated_at": now,
    }
    with transaction() as connection:
        try:
            with connection.begin_nested():
                connection.execute(update(accounts).where(accounts.c.id == account_id).values(values))
        except IntegrityError as problem:
            raise AddressTaken from problem


def hold(account_id: str) -> None:
    """Let nobody else change what the account is signed in to with until the caller's transaction ends."""
    with transaction() as connection:
        connection.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())


def prefer(account_id: str, *, locale: str, time_zone: str, now: datetime) -> None:
    """Keep the language and the time zone that its owner chose."""
    values = {"locale": locale, "time_zone": time_zone, "updated_at": now}
    with transaction() as connection:
        connection.execute(update(accounts).where(accounts.c.id == account_id).values(values))


def set_status(account_id: str, status: str, *, now: datetime) -> bool:
    """Make the account `active` or `locked`; one that will be erased only waits on. False when there is none."""
    then = case((accounts.c.leaves_at.is_not(None), LEAVING), else_=status) if status == "active" else status
    statement = update(accounts).where(accounts.c.id == account_id).values(status=then, updated_at=now)
    with transaction() as connection:
        return connection.execute(statement).rowcount == 1


def leave(account_id: str, *, at: datetime, now: datetime) -> bool:
    """Let an active account count for nothing from now on, and be erased at `at`. True for the first caller only."""
    statement = update(accounts).where(accounts.c.id == account_id, accounts.c.status == "active")
    with transaction() as connection:
        values = {"status": LEAVING, "leaves_at": at, "updated_at": now}
        return connection.execute(statement.values(values)).rowcount == 1


def stay(account_id: str, *, now: datetime) -> bool:
    """Take that back, as long as it is not yet time. False when there is nothing to take back."""
    statement = update(accounts).where(
        accounts.c.id == account_id, accounts.c.status == LEAVING, accounts.c.leaves_at > now
    )
    with transaction() as connection:
        values = {"status": "active", "leaves_at": None, "updated_at": now}
        return connection.execute(statement.values(values)).rowcount == 1


def leaving(*, until: datetime) -> list[str]:
    """The accounts whose time has come, locked ones too."""
    with reading() as connection:
        return list(connection.execute(select(accounts.c.id).where(accounts.c.leaves_at <= until)).scalars())


def erase(account_id: str) -> bool:
    """Delete the account and every row that belongs to it. True for the first caller only."""
    with transaction() as connection:
        return connection.execute(delete(accounts).where(accounts.c.id == account_id)).rowcount == 1


def _account(row: Row[Any] | None) -> Account | None:
    if row is None:
        return None
    return Account(
        id=row.id,
        email=vault().open(row.email, place="accounts.email", row=row.id),
        active=row.status == "active",
        locale=row.locale,
        created_at=row.created_at,
        updated_at=row.updated_at,
        time_zone=row.time_zone,
        leaves_at=row.leaves_at if row.status == LEAVING else None,
    )
