"""Consents: which scopes a person let a client have, and since when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table, delete, select

from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.upserts import insert

consents = Table(
    "consents",
    db.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", String(64), primary_key=True),
    Column("scope", String(64), primary_key=True),
    Column("given_at", Instant, nullable=False),
)


def give(account_id: str, client_id: str, scopes: Collection[str], *, now: datetime) -> None:
    """Keep what was agreed to. Joins the caller's transaction."""
    with transaction() as connection:
        for scope in scopes:
            row = {"account_id": account_id, "client_id": client_id, "scope": scope, "given_at": now}
            connection.execute(insert(connection, consents).values(row).on_conflict_do_nothing())


def given(account_id: str, client_id: str) -> frozenset[str]:
    """The scopes this person lets this client have."""
    statement = select(consents.c.scope).where(consents.c.account_id == account_id, consents.c.client_id == client_id)
    with reading() as connection:
        return frozenset(connection.execute(statement).scalars())


def withdraw(account_id: str, client_id: str) -> bool:
    """Forget what was agreed to. False when there was nothing."""
    statement = delete(consents).where(consents.c.account_id == account_id, consents.c.client_id == client_id)
    with transaction() as connection:
        return connection.execute(statement).rowcount > 0
