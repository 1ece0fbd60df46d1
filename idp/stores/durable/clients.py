"""Clients: one row each, their metadata as RFC 7591 JSON, a secret as its digest (SR-82).

Only a secret that makes MACs is kept readable, too: sealed by the vault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, Row, String, Table, Text, delete, insert, select, update

from idp.stores.durable import changes
from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault

CHANGES = "clients"
"""Name of the counter that says a client was added, changed or removed."""

PLACE = "clients.sealed_secret"

clients = Table(
    "clients",
    db.metadata,
    Column("client_id", String(64), primary_key=True),
    Column("metadata", Text, nullable=False),
    Column("secret_digest", LargeBinary(32)),
    Column("sealed_secret", LargeBinary),
    Column("registration_digest", LargeBinary(32)),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A client's secret as it is kept."""

    digest: bytes = field(repr=False)
    text: str | None = field(default=None, repr=False)
    """The secret itself, where it makes MACs."""


@dataclass(frozen=True, slots=True)
class ClientRow:
    """One client as stored."""

    client_id: str
    metadata: str
    secret_digest: bytes | None = field(repr=False)
    created_at: datetime
    registration_digest: bytes | None = field(default=None, repr=False)
    """Of the token with which a client that registered itself looks after itself."""
    sealed_secret: bytes | None = field(default=None, repr=False)

    def secret(self) -> str | None:
        """The secret of a client that makes MACs with it; None for all others, whose secrets nobody can read."""
        if self.sealed_secret is None:
            return None
        return vault().open(self.sealed_secret, place=PLACE, row=self.client_id)


def add(
    client_id: str,
    metadata: str,
    *,
    secret: Secret | None,
    now: datetime,
    registration_digest: bytes | None = None,
) -> None:
    """Keep a new client. Joins the caller's transaction."""
    row = {
        "client_id": client_id,
        "metadata": metadata,
        **_kept(client_id, secret),
        "registration_digest": registration_digest,
        "created_at": now,
        "updated_at": now,
    }
    with transaction() as connection:
        connection.execute(insert(clients).values(row))
        changes.bump(CHANGES)


def find(client_id: str) -> ClientRow | None:
    """The client of an id."""
    with reading() as connection:
        row = connection.execute(select(clients).where(clients.c.client_id == client_id)).first()
    return None if row is None else _client(row)


def in_order() -> list[ClientRow]:
    """Every client, oldest first."""
    with reading() as connection:
        rows = connection.execute(select(clients).order_by(clients.c.created_at, clients.c.client_id)).all()
    return [_client(row) for row in rows]


def change(client_id: str, *, was: str, metadata: str, secret: Secret | None, now: datetime) -> bool:
    """Replace the metadata and the secret, unless somebody else changed the metadata from what it `was`."""
    statement = (
        update(clients)
        .where(clients.c.client_id == client_id, clients.c.metadata == was)
        .values(metadata=metadata, **_kept(client_id, secret), updated_at=now)
    )
    with transaction() as connection:
        changed = connection.execute(statement).rowcount == 1
        changes.bump(CHANGES)
    return changed


def set_secret(client_id: str, secret: Secret, *, now: datetime) -> bool:
    """Put this secret in place of the one before. False when there is no such client."""
    values = {**_kept(client_id, secret), "updated_at": now}
    statement = update(clients).where(clients.c.client_id == client_id).values(values)
    with transaction() as connection:
        changed = connection.execute(statement).rowcount == 1
        changes.bump(CHANGES)
    return changed


def remove(client_id: str) -> bool:
    """Forget the client. False when there is none."""
    with transaction() as connection:
        removed = connection.execute(delete(clients).where(clients.c.client_id == client_id)).rowcount == 1
        changes.bump(CHANGES)
    return removed


def _kept(client_id: str, secret: Secret | None) -> dict[str, bytes | None]:
    if secret is None:
        return {"secret_digest": None, "sealed_secret": None}
    sealed = vault().seal(secret.text, place=PLACE, row=client_id) if secret.text is not None else None
    return {"secret_digest": secret.digest, "sealed_secret": sealed}


def _client(row: Row[Any]) -> ClientRow:
    return ClientRow(
        row.client_id,
        row.metadata,
        row.secret_digest,
        row.created_at,
        row.registration_digest,
        row.sealed_secret,
    )
