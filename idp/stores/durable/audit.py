"""The audit trail: events that are only ever added, and the seals that chain them.

An event is written in the transaction of what it tells of. The worker seals events in order, each seal
holding a keyed hash over the seal before and the event, so a change, a removal or an insertion shows.
People are named by a random pseudonym; erasing the row that links it cuts the tie (SR-126).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, Row, String, Table, Text, insert, select
from sqlalchemy.exc import IntegrityError

from idp import clock, correlation
from idp.stores.durable.db import Instant, db, transaction
from idp.stores.durable.sealing import vault

Serial = BigInteger().with_variant(Integer, "sqlite")

events = Table(
    "audit_events",
    db.metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False, index=True),
    Column("event", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(200)),
    Column("person", String(32), index=True),
    Column("client_id", String(128)),
    Column("session", String(64)),
    Column("journey", String(64)),
    Column("network", String(64), nullable=False),
    Column("reference", String(16), nullable=False),
    Column("details", Text, nullable=False),
)

seals = Table(
    "audit_seals",
    db.metadata,
    Column("number", Serial, primary_key=True, autoincrement=False),
    Column("event_id", Serial, nullable=False, unique=True),
    Column("hash", LargeBinary(32), nullable=False),
)

pseudonyms = Table(
    "audit_pseudonyms",
    db.metadata,
    Column("account_id", String(64), primary_key=True),
    Column("person", String(32), nullable=False, unique=True),
)

APPEND_ONLY = ("audit_events", "audit_seals")
BATCH = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the trail is not as it was sealed."""

    seal: int
    event_id: int
    words: str


def record(
    event: str,
    *,
    account_id: str | None = None,
    client_id: str | None = None,
    session: str | None = None,
    journey: str | None = None,
    outcome: str = "success",
    reason: str | None = None,
    details: Mapping[str, str | int | bool] | None = None,
) -> None:
    """Add an event. Joins the caller's transaction, so an act and its record stand or fall together (section Q)."""
    during = correlation.current()
    with transaction() as connection:
        connection.execute(
            insert(events).values(
                at=clock.now(),
                event=event,
                outcome=outcome,
                reason=reason,
                person=_pseudonym(connection, account_id) if account_id else None,
                client_id=client_id,
                session=session,
                journey=journey,
                network=during.network,
                reference=during.reference,
                details=msgspec.json.encode(details or {}).decode(),
            )
        )


def pseudonym_of(account_id: str) -> str | None:
    """The name by which the trail knows this account, if it was ever in it."""
    with transaction() as connection:
        return _known(connection, account_id)


def listed(*, after: int = 0, person: str | None = None, since: datetime | None = None, most: int = 100) -> list[Row[tuple[object, ...]]]:
    """Events after an id, oldest first; of one person, or since an instant, if asked."""
    statement = select(events).where(events.c.id > after).order_by(events.c.id).limit(most)
    if person is not None:
        statement = statement.where(events.c.person == person)
    if since is not None:
        statement = statement.where(events.c.at >= since)
    with transaction() as connection:
        return list(connection.execute(statement).all())


def newest() -> int:
    """The id of the newest event; 0 when there is none."""
    with transaction() as connection:
        return connection.execute(select(events.c.id).order_by(events.c.id.desc()).limit(1)).scalar() or 0


def seal_pending() -> int:
    """Seal the events that are not sealed yet, in order; how many. One worker wins, another does it next time."""
    sealed = 0
    try:
        with transaction() as connection:
            number, before = _last_seal(connection)
            for row in connection.execute(_unsealed()).all():
                number += 1
                before = _hash(before, row)
                connection.execute(insert(seals).values(number=number, event_id=row.id, hash=before))
                sealed += 1
    except IntegrityError:  # another worker sealed the same events
        return 0
    return sealed


def verify() -> Iterator[Fault]:
    """Go along the chain and yield every fault; nothing when the trail is whole."""
    before, number = b"", 0
    with transaction() as connection:
        rows = connection.execute(
            select(seals.c.number, seals.c.event_id, seals.c.hash, events).join_from(
                seals, events, seals.c.event_id == events.c.id, isouter=True
            ).order_by(seals.c.number)
        ).all()
    for row in rows:
        number += 1
        if row.number != number:
            yield Fault(number, row.event_id, "a seal is missing")
            number = row.number
        elif row.id is None:
            yield Fault(row.number, row.event_id, "the event is missing")
        elif not secrets.compare_digest(_hash(before, row), bytes(row.hash)):
            yield Fault(row.number, row.event_id, "the event, or one before it, was changed")
        before = bytes(row.hash)


def count() -> tuple[int, int]:
    """How many events there are, and how many of them are sealed."""
    with transaction() as connection:
        return len(connection.execute(select(events.c.id)).all()), len(connection.execute(select(seals.c.number)).all())


def append_only_statements(dialect: str) -> Iterator[str]:
    """DDL that makes the database itself refuse to change or remove what was written (SR-121)."""
    for table in APPEND_ONLY:
        if dialect == "sqlite":
            for act in ("UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        else:
            yield f"CREATE RULE {table}_no_update AS ON UPDATE TO {table} DO INSTEAD NOTHING"
            yield f"CREATE RULE {table}_no_delete AS ON DELETE TO {table} DO INSTEAD NOTHING"


def _pseudonym(connection: Connection, account_id: str) -> str:
    known = _known(connection, account_id)
    if known is not None:
        return known
    made = secrets.token_urlsafe(12)
    try:
        with connection.begin_nested():
            connection.execute(insert(pseudonyms).values(account_id=account_id, person=made))
    except IntegrityError:  # a parallel request named them first
        return _known(connection, account_id) or made
    return made


def _known(connection: Connection, account_id: str) -> str | None:
    return connection.execute(select(pseudonyms.c.person).where(pseudonyms.c.account_id == account_id)).scalar()


def _last_seal(connection: Connection) -> tuple[int, bytes]:
    row = connection.execute(select(seals).order_by(seals.c.number.desc()).limit(1)).first()
    return (row.number, bytes(row.hash)) if row else (0, b"")


def _unsealed() -> object:
    return (
        select(events)
        .join(seals, seals.c.event_id == events.c.id, isouter=True)
        .where(seals.c.number.is_(None))
        .order_by(events.c.id)
        .limit(BATCH)
    )


def _hash(before: bytes, row: Row[tuple[object, ...]]) -> bytes:
    told = [str(row._mapping[column.name]) for column in events.c]
    return vault().index(before.hex() + msgspec.json.encode(told).decode(), purpose="audit chain")
