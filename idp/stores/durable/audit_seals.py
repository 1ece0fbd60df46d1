"""The seals of the audit trail: each binds one event to the seal before it, so one taken out leaves a gap.

Sealing follows the events, in one place at a time, so that writing an event waits for nobody.
"""

from __future__ import annotations

import secrets
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, LargeBinary, Row, String, Table, delete, exists, func, select, text

from idp.stores.durable.audit import Number, audit_events
from idp.stores.durable.db import db, transaction
from idp.stores.durable.sealing import vault

LATE = 10_000
"""How many numbers back a transaction may still be about to add an event while later ones are sealed."""

audit_seals = Table(
    "audit_seals",
    db.metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("event_id", Number, nullable=False, unique=True),
    Column("previous", LargeBinary(32), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
)

FIRST = bytes(32)
"""What the first seal follows."""


class Head(Struct, frozen=True):
    """Where the chain ends: the number of the last seal and the seal, in hex."""

    number: int
    seal: str


class Sealed(Struct, frozen=True):
    """One seal, and the row of its event or None where that is gone."""

    number: int
    event_id: int
    previous: bytes
    key_id: str
    seal: bytes
    event: Row[tuple[object, ...]] | None


def seal_pending(*, batch: int = 1000) -> int:
    """Seal events that have no seal yet, in order; how many. Safe from any number of callers at once."""
    with transaction() as connection:
        _alone(connection)
        last = connection.execute(select(audit_seals).order_by(audit_seals.c.number.desc()).limit(1)).first()
        newest_sealed = connection.execute(select(func.max(audit_seals.c.event_id))).scalar() or 0
        waiting = (
            select(audit_events)
            .where(audit_events.c.id > newest_sealed - LATE)
            .where(~exists().where(audit_seals.c.event_id == audit_events.c.id))
            .order_by(audit_events.c.id)
            .limit(batch)
        )
        rows = connection.execute(waiting).all()
        number, previous = (last.number, bytes(last.seal)) if last else (0, FIRST)
        for row in rows:
            number += 1
            key_id, seal = vault().mark(_chained(number, previous, bytes(row.mark)), purpose="audit seal")
            connection.execute(
                audit_seals.insert().values(number=number, event_id=row.id, previous=previous, key_id=key_id, seal=seal)
            )
            previous = seal
    return len(rows)


def head() -> Head | None:
    """Where the chain ends now. Keep it elsewhere: it shows later that no end was cut off."""
    with transaction() as connection:
        row = connection.execute(select(audit_seals).order_by(audit_seals.c.number.desc()).limit(1)).first()
    return None if row is None else Head(row.number, bytes(row.seal).hex())


def sealed(*, after: int, limit: int) -> list[Sealed]:
    """Seals after a number, in order, each with its event."""
    statement = select(audit_seals).where(audit_seals.c.number > after).order_by(audit_seals.c.number).limit(limit)
    with transaction() as connection:
        seals = connection.execute(statement).all()
        wanted = select(audit_events).where(audit_events.c.id.in_([seal.event_id for seal in seals]))
        events = {event.id: event for event in connection.execute(wanted)}
    return [
        Sealed(
            seal.number, seal.event_id, bytes(seal.previous), seal.key_id, bytes(seal.seal), events.get(seal.event_id)
        )
        for seal in seals
    ]


def unsealed() -> list[int]:
    """Numbers of events so far back that they were slipped in after their neighbours had been sealed."""
    newest_sealed = select(func.max(audit_seals.c.event_id)).scalar_subquery()
    statement = (
        select(audit_events.c.id)
        .where(audit_events.c.id <= newest_sealed - LATE)
        .where(~exists().where(audit_seals.c.event_id == audit_events.c.id))
        .order_by(audit_events.c.id)
    )
    with transaction() as connection:
        return list(connection.execute(statement).scalars())


def bears_our_seal(sealed: Sealed) -> bool:
    """Whether the seal binds its event to the seal it says it follows. Raises `Unsealable`."""
    if sealed.event is None:
        return False
    chained = _chained(sealed.number, sealed.previous, bytes(sealed.event.mark))
    _, expected = vault().mark(chained, purpose="audit seal", key_id=sealed.key_id)
    return secrets.compare_digest(expected, sealed.seal)


def forget(*, before: datetime) -> tuple[int, int]:
    """Delete the oldest events and their seals, up to the first that is younger; the last seal gone, and how many."""
    seal_of = audit_seals.c.event_id == audit_events.c.id
    young = select(func.min(audit_seals.c.number)).join(audit_events, seal_of).where(audit_events.c.at >= before)
    with transaction() as connection:
        _alone(connection)
        first = connection.execute(young).scalar()
        if first is None:
            first = (connection.execute(select(func.max(audit_seals.c.number))).scalar() or 0) + 1
        old = audit_seals.c.number < first
        gone = delete(audit_events).where(audit_events.c.id.in_(select(audit_seals.c.event_id).where(old)))
        number = connection.execute(gone).rowcount
        connection.execute(delete(audit_seals).where(old))  # after the events: a seal is refused to go before
    return first - 1, number


def forgotten_through(event: Row[tuple[object, ...]]) -> int:
    """The last seal that an event `audit.forgotten` says was deleted."""
    found = msgspec.json.decode(event.details, type=dict[str, int])
    return found["through"]


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": 5_173_991_025})


def _chained(number: int, previous: bytes, mark: bytes) -> str:
    return f"{number}:{previous.hex()}:{mark.hex()}"
