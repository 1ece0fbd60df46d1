"""Messages that wait to be sent: posted with what they belong to, claimed by one worker, then erased.

The payload is sealed while it waits and gone when it is over (SR-20, SR-120).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, delete, insert, or_, select, update

from idp.stores.durable.db import Instant, db, transaction
from idp.stores.durable.sealing import vault

PLACE = "outbox.payload"

messages = Table(
    "outbox",
    db.metadata,
    Column("id", String(32), primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("payload", LargeBinary),
    Column("tries", Integer, nullable=False),
    Column("posted_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
    Column("deliver_by", Instant, nullable=False),
    Column("lease", String(32)),
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that one worker holds."""

    id: str
    channel: str
    payload: str = field(repr=False)
    tries: int
    deliver_by: datetime
    lease: str


def post(channel: str, payload: str, *, now: datetime, deliver_by: datetime) -> str:
    """Keep a message until it is sent, or until `deliver_by`. Joins the caller's transaction."""
    message_id = secrets.token_urlsafe(16)
    with transaction() as connection:
        connection.execute(
            insert(messages).values(
                id=message_id,
                channel=channel,
                state="queued",
                payload=vault().seal(payload, place=PLACE, row=message_id),
                tries=0,
                posted_at=now,
                due_at=now,
                deliver_by=deliver_by,
                lease=None,
            )
        )
    return message_id


def state(message_id: str) -> str | None:
    """`queued`, `sending`, `sent` or `failed`; None when it is forgotten."""
    with transaction() as connection:
        return connection.execute(select(messages.c.state).where(messages.c.id == message_id)).scalar()


def claim(*, now: datetime, lease_until: datetime) -> Claimed | None:
    """The next message that is due, for this worker alone until `lease_until`.

    A worker that dies holding one loses it to the next when its lease has run out.
    """
    due = messages.c.due_at <= now
    waiting = or_(messages.c.state == "queued", messages.c.state == "sending")
    with transaction() as connection:
        found = connection.execute(
            select(messages.c.id, messages.c.lease).where(waiting, due).order_by(messages.c.due_at).limit(1)
        ).first()
        if found is None:
            return None
        lease = secrets.token_urlsafe(8)
        same = messages.c.lease.is_(None) if found.lease is None else messages.c.lease == found.lease
        claimed = connection.execute(
            update(messages)
            .where(messages.c.id == found.id, waiting, due, same)
            .values(state="sending", lease=lease, due_at=lease_until, tries=messages.c.tries + 1)
        )
        if claimed.rowcount == 0:
            return None
        row = connection.execute(select(messages).where(messages.c.id == found.id)).one()
    payload = vault().open(row.payload, place=PLACE, row=row.id)
    return Claimed(row.id, row.channel, payload, row.tries, row.deliver_by, lease)


def finish(claimed: Claimed, state: str) -> None:
    """It is over, `sent` or `failed`: the payload goes at once."""
    _change(claimed, state=state, payload=None, lease=None)


def postpone(claimed: Claimed, *, due_at: datetime) -> None:
    """Try again at `due_at`."""
    _change(claimed, state="queued", due_at=due_at, lease=None)


def forget(*, before: datetime) -> int:
    """Delete what was posted before `before`; how many (SR-125)."""
    with transaction() as connection:
        return connection.execute(delete(messages).where(messages.c.posted_at < before)).rowcount


def _change(claimed: Claimed, **values: object) -> None:
    with transaction() as connection:
        connection.execute(
            update(messages).where(messages.c.id == claimed.id, messages.c.lease == claimed.lease).values(**values)
        )
