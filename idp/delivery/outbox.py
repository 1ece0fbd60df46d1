"""Words on their way out: posted in the transaction of what they tell of, sent by a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event

import msgspec

from idp import clock
from idp.stores.durable import outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What to say, to whom, in which language. Rendered only inside a channel (SR-120)."""

    kind: str
    channel: str
    to: str = field(repr=False)
    locale: str
    values: Mapping[str, str] = field(repr=False)


_waiting = Event()


def post(message: Message, *, deliver_by: datetime) -> str:
    """Put a message in the outbox and return its id. Joins the caller's transaction.

    It is worth nothing after `deliver_by`: a code's message dies with the code.
    """
    payload = msgspec.json.encode(message).decode()
    return outbox.post(message.channel, payload, now=clock.now(), deliver_by=deliver_by)


def read(payload: str) -> Message:
    """The message of a payload."""
    return msgspec.json.decode(payload, type=Message)


def state(message_id: str) -> str | None:
    """How it stands: `queued`, `sending`, `sent` or `failed`; None when that is forgotten."""
    return outbox.state(message_id)


def wake() -> None:
    """Tell the worker of this process that something waits, so that it need not look for it."""
    _waiting.set()


def wait(seconds: float) -> None:
    """Sleep until `wake`, for so many seconds at most."""
    _waiting.wait(seconds)
    _waiting.clear()
