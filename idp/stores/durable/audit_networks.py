"""Where audit events came from, for as long as that may be known (SR-125).

An event never changes, so it holds only what the network was bound to when it was written: a digest of it with a
salt that is kept here. When the salt goes, nobody can tell the network, and the trail is as whole as before.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Column, Connection, LargeBinary, String, Table, delete, insert, select

from idp.stores.durable.db import Instant, db, reading, transaction

audit_networks = Table(
    "audit_networks",
    db.metadata,
    Column("event_uid", String(32), primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("salt", LargeBinary(16), nullable=False),
    Column("network", String(64), nullable=False),
)


def keep(connection: Connection, event_uid: str, network: str, *, at: datetime) -> str:
    """Keep the network of an event, and return what the event holds of it."""
    salt = secrets.token_bytes(16)
    row = {"event_uid": event_uid, "at": at, "salt": salt, "network": network}
    connection.execute(insert(audit_networks).values(row))
    return _bound(salt, network)


def of_events(uids: Collection[str]) -> dict[str, str]:
    """The networks of these events that are still known."""
    statement = select(audit_networks.c.event_uid, audit_networks.c.network)
    with reading() as connection:
        rows = connection.execute(statement.where(audit_networks.c.event_uid.in_(list(uids))))
        return {row.event_uid: row.network for row in rows}


def is_told(event_uid: str, held: str) -> bool:
    """Whether the network kept of an event, if any is, is the one the event was written with."""
    statement = select(audit_networks).where(audit_networks.c.event_uid == event_uid)
    with reading() as connection:
        row = connection.execute(statement).first()
    return row is None or secrets.compare_digest(_bound(bytes(row.salt), row.network), held)


def forget(*, before: datetime) -> int:
    """Let nobody tell any more where events before then came from; how many."""
    with transaction() as connection:
        return connection.execute(delete(audit_networks).where(audit_networks.c.at < before)).rowcount


def _bound(salt: bytes, network: str) -> str:
    return sha256(salt + network.encode()).hexdigest()
