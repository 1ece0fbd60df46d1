"""Consents: which scopes and authorization details a person let a client have, and since when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import msgspec
from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table, Text, delete, select

from idp.rules.authorization_details import AlumniRecords, Details
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

consented_details = Table(
    "consented_details",
    db.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", String(64), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    Column("detail", Text, nullable=False),
    Column("given_at", Instant, nullable=False),
)

_decode = msgspec.json.Decoder(AlumniRecords).decode
_encode = msgspec.json.Encoder().encode


def give(account_id: str, client_id: str, scopes: Collection[str], details: Details = (), *, now: datetime) -> None:
    """Keep what was agreed to. Joins the caller's transaction."""
    with transaction() as connection:
        for scope in scopes:
            row = {"account_id": account_id, "client_id": client_id, "scope": scope, "given_at": now}
            connection.execute(insert(connection, consents).values(row).on_conflict_do_nothing())
        for detail in details:
            text = _encode(detail)
            known = {"account_id": account_id, "client_id": client_id, "digest": sha256(text).digest()}
            row = {**known, "detail": text.decode(), "given_at": now}
            connection.execute(insert(connection, consented_details).values(row).on_conflict_do_nothing())


def given(account_id: str, client_id: str) -> frozenset[str]:
    """The scopes this person lets this client have."""
    statement = select(consents.c.scope).where(consents.c.account_id == account_id, consents.c.client_id == client_id)
    with reading() as connection:
        return frozenset(connection.execute(statement).scalars())


def details_given(account_id: str, client_id: str) -> Details:
    """The authorization details this person lets this client have."""
    mine = (consented_details.c.account_id == account_id, consented_details.c.client_id == client_id)
    with reading() as connection:
        return tuple(
            _decode(text) for text in connection.execute(select(consented_details.c.detail).where(*mine)).scalars()
        )


@dataclass(frozen=True, slots=True)
class Agreed:
    """What one client was let have, and since when."""

    client_id: str
    scopes: tuple[str, ...]
    details: Details
    since: datetime


def of_account(account_id: str) -> list[Agreed]:
    """All that a person has agreed to, client by client."""
    found: dict[str, tuple[list[str], list[AlumniRecords], list[datetime]]] = {}
    with reading() as connection:
        for row in connection.execute(select(consents).where(consents.c.account_id == account_id)):
            scopes, _, at = found.setdefault(row.client_id, ([], [], []))
            scopes.append(row.scope)
            at.append(row.given_at)
        for row in connection.execute(select(consented_details).where(consented_details.c.account_id == account_id)):
            _, details, at = found.setdefault(row.client_id, ([], [], []))
            details.append(_decode(row.detail))
            at.append(row.given_at)
    return [
        Agreed(client_id, tuple(sorted(scopes)), tuple(details), min(at))
        for client_id, (scopes, details, at) in sorted(found.items())
    ]


def withdraw(account_id: str, client_id: str) -> bool:
    """Forget what was agreed to. False when there was nothing."""
    with transaction() as connection:
        gone = [
            connection.execute(delete(table).where(table.c.account_id == account_id, table.c.client_id == client_id))
            for table in (consents, consented_details)
        ]
    return any(one.rowcount > 0 for one in gone)
