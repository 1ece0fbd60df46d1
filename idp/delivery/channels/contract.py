"""What a channel is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from idp.delivery.outbox import Message


@dataclass(frozen=True, slots=True)
class Sent:
    """The next server has taken it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not taken. `permanent`: trying again is of no use. `reason` names no person and no number."""

    permanent: bool
    reason: str


class Channel(Protocol):
    """One way to send. It sends once: it never retries, logs a message or picks a destination."""

    def send(self, message: Message, *, message_id: str) -> Sent | Failed:
        """Hand the message on, within the channel's time-out. `message_id` makes a second try harmless."""
