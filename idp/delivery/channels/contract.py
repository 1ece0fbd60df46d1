"""What a channel is asked and what it answers."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from idp.delivery.outbox import Message


@dataclass(frozen=True, slots=True)
class Sent:
    """The next server has taken it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not taken. `permanent`: trying again is of no use. `reason` names no person and no number.

    `of_channel`: it tells that the channel is in trouble, and not only the one it was for.
    """

    permanent: bool
    reason: str
    of_channel: bool = True


class Channel(Protocol):
    """One way to send. It sends once: it never retries, logs a message or picks a destination."""

    @property
    def longest(self) -> float:
        """Seconds that a send can take at the very most."""

    @property
    def waits(self) -> bool:
        """Whether codes wait while the channel is down. Else they fail, so that the page can say so."""

    def send(self, message: Message, *, message_id: str) -> Sent | Failed:
        """Hand the message on, within the channel's time-out. `message_id` makes a second try harmless."""


@cache
def trusted() -> ssl.SSLContext:
    """How servers are believed to be who they are: the system's authorities (or SSL_CERT_FILE), and their name."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # an old Python leaves it to the system's configuration
    return context
