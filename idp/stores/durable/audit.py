"""The audit trail: events that are only ever added.

Each event carries a keyed mark made when it was written, so one that the database's owner slips in or
changes has none that fits; `audit_seals` chains them. Accounts appear by a random pseudonym whose link
goes with the account (SR-126).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, Row, String, Table, Text, delete, select
from sqlalchemy.exc import SQLAlchemyError

from idp import clock, correlation
from idp.stores import Unavailable
from idp.stores.durable import audit_networks
from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault
from idp.stores.durable.upserts import insert

Number = BigInteger().with_variant(Integer, "sqlite")

LONGEST = 300
"""Characters of one text in an event."""

audit_events = Table(
    "audit_events",
    db.metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("uid", String(32), nullable=False, unique=True),
    Column("at", Instant, nullable=False, index=True),
    Column("event", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("account", String(32), index=True),
    Column("client", String(64)),
    Column("session", String(64)),
    Column("journey", String(64)),
    Column("network", String(64)),
    Column("reference", String(64)),
    Column("reason", Text),
    Column("details", Text, nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("mark", LargeBinary(32), nullable=False),
    sqlite_autoincrement=True,
)

audit_pseudonyms = Table(
    "audit_pseudonyms",
    db.metadata,
    Column("account_id", String(64), primary_key=True),
    Column("pseudonym", String(32), nullable=False, unique=True),
)


class Event(Struct, frozen=True):
    """One event as written."""

    id: int
    uid: str
    at: datetime
    event: str
    outcome: str
    account: str | None
    client: str | None
    session: str | None
    journey: str | None
    network: str | None
    reference: str | None
    reason: str | None
    details: dict[str, str | int | bool]


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
    """Write an event in the caller's transaction, so that nothing happens without its record (SR-119).

    Never hand over an address, a number, a code, a token or any other secret (SR-120).
    """
    try:
        with transaction() as connection:
            _write(
                connection,
                {
                    "uid": secrets.token_hex(16),
                    "at": clock.now(),
                    "event": event,
                    "outcome": outcome,
                    "account": _pseudonym(connection, account_id) if account_id else None,
                    "client": _short(client_id),
                    "session": _short(session),
                    "journey": _short(journey),
                    "reason": _short(reason, LONGEST),
                    "details": _details(details or {}),
                },
            )
    except SQLAlchemyError as problem:  # for whatever reason: no act without its record (section Q)
        raise Unavailable("audit trail") from problem


def pseudonym_of(account_id: str) -> str | None:
    """The name under which an account appears in the trail; None when it never did."""
    statement = select(audit_pseudonyms.c.pseudonym).where(audit_pseudonyms.c.account_id == account_id)
    with transaction() as connection:
        return connection.execute(statement).scalar()


def cut_link(account_id: str) -> None:
    """Forget which account a pseudonym stood for: its events stay and name nobody (SR-126)."""
    with transaction() as connection:
        connection.execute(delete(audit_pseudonyms).where(audit_pseudonyms.c.account_id == account_id))


def read(
    *, after: int = 0, account: str | None = None, since: datetime | None = None, newest: int | None = None
) -> list[Event]:
    """Events in the order they were written: those after a number, of a pseudonym, since an instant.

    `newest` gives only so many of the last ones.
    """
    statement = select(audit_events).where(audit_events.c.id > after)
    if account is not None:
        statement = statement.where(audit_events.c.account == account)
    if since is not None:
        statement = statement.where(audit_events.c.at >= since)
    if newest is not None:
        statement = statement.order_by(audit_events.c.id.desc()).limit(newest)
    else:
        statement = statement.order_by(audit_events.c.id)
    with transaction() as connection:
        rows = connection.execute(statement).all()
    return _events(list(reversed(rows)) if newest is not None else rows)


def all_of(pseudonym: str) -> list[Event]:
    """Every event of a pseudonym, the newest first."""
    statement = select(audit_events).where(audit_events.c.account == pseudonym).order_by(audit_events.c.id.desc())
    with reading() as connection:
        return _events(connection.execute(statement).all())


def of_account(
    pseudonym: str, *, events: Collection[str], since: datetime, before: int | None, number: int
) -> list[Event]:
    """The newest of these events of a pseudonym, the newest first: so many, before the one of that number."""
    statement = select(audit_events).where(
        audit_events.c.account == pseudonym, audit_events.c.event.in_(list(events)), audit_events.c.at >= since
    )
    if before is not None:
        statement = statement.where(audit_events.c.id < before)
    with reading() as connection:
        return _events(connection.execute(statement.order_by(audit_events.c.id.desc()).limit(number)).all())


def bears_our_mark(event: Row[tuple[object, ...]]) -> bool:
    """Whether an event is as we wrote it, and where it came from too. Raises `Unsealable` when its key is gone."""
    row = event._asdict()
    if row["network"] is not None and not audit_networks.is_told(row["uid"], row["network"]):
        return False
    _, mark = vault().mark(_canonical(row), purpose="audit event", key_id=row["key_id"])
    return secrets.compare_digest(mark, bytes(row["mark"]))


def _write(connection: Connection, event: dict[str, object]) -> None:
    request = correlation.current()
    network = _short(request.network)
    held = audit_networks.keep(connection, str(event["uid"]), network, at=clock.now()) if network else None
    row = {**event, "network": held, "reference": _short(request.reference)}
    row["key_id"], row["mark"] = vault().mark(_canonical(row), purpose="audit event")
    connection.execute(audit_events.insert().values(row))


def _pseudonym(connection: Connection, account_id: str) -> str:
    # One per account, also when two first events race: the loser's insert does nothing.
    fresh = {"account_id": account_id, "pseudonym": secrets.token_urlsafe(12)}
    known = select(audit_pseudonyms.c.pseudonym).where(audit_pseudonyms.c.account_id == account_id)
    found: str | None = connection.execute(known).scalar()
    if found is None:
        connection.execute(insert(connection, audit_pseudonyms).values(fresh).on_conflict_do_nothing())
        found = str(connection.execute(known).scalar_one())
    return found


def _canonical(row: Mapping[str, object]) -> str:
    parts = (
        *(row[name] for name in ("uid", "event", "outcome", "account", "client", "session", "journey")),
        *(row[name] for name in ("network", "reference", "reason", "details")),
    )
    return msgspec.json.encode((f"{row['at']:%Y-%m-%dT%H:%M:%S.%f}", *parts)).decode()


def _details(details: Mapping[str, str | int | bool]) -> str:
    short = {key: value[:LONGEST] if isinstance(value, str) else value for key, value in details.items()}
    return msgspec.json.encode(short, order="sorted").decode()


def _short(value: str | None, longest: int = 64) -> str | None:
    # NUL is no text to PostgreSQL; everything else is encoded where it is printed (SR-121).
    return value.replace("\0", "")[:longest] if value else None


def _events(rows: Sequence[Row[tuple[object, ...]]]) -> list[Event]:
    networks = audit_networks.of_events([str(row._asdict()["uid"]) for row in rows])
    return [_event(row._asdict(), networks) for row in rows]


def _event(found: dict[str, Any], networks: Mapping[str, str]) -> Event:
    told = {"details": msgspec.json.decode(found["details"]), "network": networks.get(found["uid"])}
    return Event(**{name: {**found, **told}[name] for name in Event.__struct_fields__})
