"""Messages that wait to be sent: posted with what they belong to, claimed by one worker, then erased.

The payload is sealed while it waits and gone when it is over (SR-20, SR-120).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, delete, insert, select, update

from idp.stores.durable.db import Instant, db, reading, transaction
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

_open = messages.c.state.in_(("queued", "sending"))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that one worker holds."""

    id: str
    channel: str
    sealed: bytes = field(repr=False)
    tries: int
    deliver_by: datetime
    lease: str

    def payload(self) -> str:
        """What was posted. Raises `Unsealable`."""
        return vault().open(self.sealed, place=PLACE, row=self.id)


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
    with reading() as connection:
        return connection.execute(select(messages.c.state).where(messages.c.id == message_id)).scalar()


def progress(message_ids: Iterable[str]) -> dict[str, tuple[str, int]]:
    """State and number of tries of each; those that are forgotten are left out."""
    statement = select(messages.c.id, messages.c.state, messages.c.tries).where(messages.c.id.in_(list(message_ids)))
    with reading() as connection:
        return {row.id: (row.state, row.tries) for row in connection.execute(statement)}


def claim(channel: str, *, now: datetime, lease_until: datetime) -> Claimed | None:
    """The next message of a channel that is due, for this worker alone until `lease_until`.

    One conditional write: two workers never hold the same message. One that dies holding it loses it
    to the next when the lease has run out.
    """
    due = (messages.c.channel == channel, _open, messages.c.due_at <= now, messages.c.deliver_by > now)
    # PostgreSQL steps over what another worker is just claiming; SQLite has one writer and ignores the clause.
    first = select(messages.c.id).where(*due).order_by(messages.c.due_at).limit(1).with_for_update(skip_locked=True)
    lease = secrets.token_urlsafe(8)
    statement = (
        update(messages)
        .where(messages.c.id == first.scalar_subquery(), *due)
        .values(state="sending", lease=lease, due_at=lease_until, tries=messages.c.tries + 1)
        .returning(messages.c.id, messages.c.payload, messages.c.tries, messages.c.deliver_by)
    )
    with transaction() as connection:
        row = connection.execute(statement).first()
    return None if row is None else Claimed(row.id, channel, bytes(row.payload), row.tries, row.deliver_by, lease)


def waiting() -> list[Claimed]:
    """Every message that still waits or is on its way, held by nobody: for whoever looks for a person's own."""
    with reading() as connection:
        rows = connection.execute(select(messages).where(_open, messages.c.payload.is_not(None))).all()
    return [Claimed(row.id, row.channel, bytes(row.payload), row.tries, row.deliver_by, "") for row in rows]


def finish(claimed: Claimed, state: str) -> None:
    """It is over, `sent` or `failed`: the payload goes at once."""
    with transaction() as connection:
        held = (messages.c.id == claimed.id, messages.c.lease == claimed.lease)
        connection.execute(update(messages).where(*held).values(state=state, payload=None, lease=None))


def postpone(claimed: Claimed, *, due_at: datetime) -> None:
    """Try again at `due_at`."""
    with transaction() as connection:
        held = (messages.c.id == claimed.id, messages.c.lease == claimed.lease, messages.c.state == "sending")
        connection.execute(update(messages).where(*held).values(state="queued", due_at=due_at, lease=None))


def withdraw(message_id: str) -> bool:
    """Take back a message that no worker holds: what it tells of counts no longer. True if it was still waiting."""
    with transaction() as connection:
        waiting = (messages.c.id == message_id, messages.c.state == "queued")
        statement = update(messages).where(*waiting).values(state="failed", payload=None)
        return connection.execute(statement).rowcount == 1


def expire(*, now: datetime) -> int:
    """Give up what was not sent in time, and erase it: a message dies with its code; how many.

    A worker that holds one right now may still say that it was sent.
    """
    with transaction() as connection:
        late = (_open, messages.c.deliver_by <= now)
        return connection.execute(update(messages).where(*late).values(state="failed", payload=None)).rowcount


def forget(*, before: datetime) -> int:
    """Delete what ended and was of no use after `before`; how many (SR-125)."""
    with transaction() as connection:
        old = (~_open, messages.c.deliver_by < before)
        return connection.execute(delete(messages).where(*old)).rowcount
