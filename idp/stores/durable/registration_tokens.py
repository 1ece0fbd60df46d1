"""Initial access tokens: who holds one may register clients (RFC 7591 §3). Kept as digests, counted down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, Text, delete, insert, select, update

from idp.stores.durable.db import Instant, db, reading, transaction

tokens = Table(
    "registration_tokens",
    db.metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("allowance", Text, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One initial access token. `allowance` is JSON: what its clients may have that others may not."""

    id: str
    allowance: str
    uses_left: int
    expires_at: datetime


def add(row: TokenRow, *, digest: bytes, now: datetime) -> None:
    """Keep a new one. Joins the caller's transaction."""
    values = {"digest": digest, "allowance": row.allowance, "uses_left": row.uses_left, "created_at": now}
    with transaction() as connection:
        connection.execute(insert(tokens).values(id=row.id, expires_at=row.expires_at, **values))


def find(digest: bytes, *, now: datetime) -> TokenRow | None:
    """The token, while it counts."""
    statement = select(tokens).where(tokens.c.digest == digest, tokens.c.uses_left > 0, tokens.c.expires_at > now)
    with reading() as connection:
        row = connection.execute(statement).first()
    return TokenRow(row.id, row.allowance, row.uses_left, row.expires_at) if row else None


def spend(token_id: str, *, now: datetime) -> bool:
    """Use it once. False when nothing is left of it: one conditional write, whoever else is registering."""
    counts = (tokens.c.id == token_id, tokens.c.uses_left > 0, tokens.c.expires_at > now)
    with transaction() as connection:
        statement = update(tokens).where(*counts).values(uses_left=tokens.c.uses_left - 1)
        return connection.execute(statement).rowcount == 1


def in_order() -> list[TokenRow]:
    """Every one that is known, oldest first."""
    with reading() as connection:
        rows = connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id)).all()
    return [TokenRow(row.id, row.allowance, row.uses_left, row.expires_at) for row in rows]


def remove(token_id: str) -> bool:
    """Take it back. False when there is none."""
    with transaction() as connection:
        return connection.execute(delete(tokens).where(tokens.c.id == token_id)).rowcount == 1


def forget(*, before: datetime) -> int:
    """Delete those that ended before `before`; how many."""
    with transaction() as connection:
        return connection.execute(delete(tokens).where(tokens.c.expires_at < before)).rowcount
