"""Words on their way out: posted in the transaction of what they tell of, sent by a worker."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Condition

import msgspec

from idp import clock
from idp.stores.durable import outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What to say, to whom, in which language. Rendered only inside a channel (SR-120).

    `kind` names the text (page spec §12: M-1, T-1, V-1 …), `channel` is `email`, `sms` or `voice`, and
    `values` fills the text: `code`, `minutes`, `device`, `place`, `ending`.
    """

    kind: str
    channel: str
    to: str = field(repr=False)
    locale: str
    values: Mapping[str, str] = field(repr=False)
    at: datetime = field(default_factory=clock.now)
    """When it was asked for: the text says so, however late it is sent."""
    time_zone: str = ""
    """Of its clock times; without one, the operator's."""


class Bell:
    """Wakes the workers of this process. A ring while one of them is busy is heard when it is done."""

    def __init__(self) -> None:
        self._rung = Condition()
        self._rings = 0

    @property
    def rings(self) -> int:
        """How often it has rung."""
        return self._rings

    def ring(self) -> None:
        """Wake whoever waits."""
        with self._rung:
            self._rings += 1
            self._rung.notify_all()

    def wait(self, heard: int, *, seconds: float) -> None:
        """Sleep until it has rung more than `heard` times, for so many seconds at most."""
        with self._rung:
            self._rung.wait_for(lambda: self._rings != heard, timeout=seconds)


_message = msgspec.json.Decoder(Message).decode  # made once, by one thread: the first use of a type is not thread-safe

bell = Bell()
"""The one of this process."""


def post(message: Message, *, deliver_by: datetime) -> str:
    """Put a message in the outbox and return its id. Joins the caller's transaction.

    It is worth nothing after `deliver_by`: a code's message dies with the code.
    """
    payload = msgspec.json.encode(message).decode()
    return outbox.post(message.channel, payload, now=clock.now(), deliver_by=deliver_by)


def read(payload: str) -> Message:
    """The message of a payload."""
    return _message(payload)


def state(message_id: str) -> str | None:
    """How it stands: `queued`, `sending`, `sent` or `failed`; None when that is forgotten."""
    return outbox.state(message_id)


def progress(message_ids: Iterable[str]) -> dict[str, tuple[str, int]]:
    """How each stands, and how often it was tried; those that are forgotten are left out."""
    return outbox.progress(message_ids)


def waiting_for(addresses: Collection[str]) -> dict[str, Message]:
    """The messages that wait to go to one of these addresses or numbers, by their ids."""
    found = {one.id: read(one.payload()) for one in outbox.waiting()}
    return {message_id: message for message_id, message in found.items() if message.to in addresses}


def withdraw(message_id: str) -> bool:
    """Take a message back that still waits, since its code no longer counts. Joins the caller's transaction."""
    return outbox.withdraw(message_id)


def wake() -> None:
    """Tell the workers of this process that something waits, so that they need not look for it."""
    bell.ring()
