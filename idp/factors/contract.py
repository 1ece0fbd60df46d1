"""What a factor is asked and what it answers. Values only: no page, no SQL, no other factor."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypedDict

from idp.services.windows import Origin
from idp.stores.durable.codes import Verdict


class Told(TypedDict):
    """What the trail is told of every attempt."""

    account_id: str | None
    journey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One person at one step. The destination was fixed by the server, never by this request (SR-16)."""

    journey_id: str
    purpose: str
    about: str
    destination: str = field(repr=False)
    account_key: str
    locale: str
    origin: Origin
    device: str
    now: datetime
    message: str
    """Which message carries the code: `M-1`, `T-1` …; a person without an account gets words instead."""
    silent: bool = False
    """Go through the same work but send nothing: a robot filled in the field that people cannot see."""

    @property
    def told(self) -> Told:
        """Whose event this is in the trail: its owner reads of it, where it is about an account (page spec §11)."""
        kind, _, name = self.about.partition(":")
        return Told(account_id=name if kind == "account" else None, journey=self.journey_id)


@dataclass(frozen=True, slots=True)
class Sent:
    """A code is on its way: the challenge it belongs to, how many were sent, the message that carries it."""

    challenge: str
    sends: int
    at: datetime
    message: str | None


@dataclass(frozen=True, slots=True)
class TooSoon:
    """Asked again within the waiting time; the code before still counts."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Limited:
    """A limit holds; it lifts in so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The channel is known to be down; nothing was sent, and no limit was touched (requirements, section Q)."""


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """Too many wrong tries in a row: this factor must be set up anew (SR-17)."""


@dataclass(frozen=True, slots=True)
class Proved:
    """The factor was used well: by this method, now."""

    method: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NotProved:
    """It was not: why, and the tries that are left."""

    verdict: Verdict
    left: int = 0


@dataclass(frozen=True, slots=True)
class Earlier:
    """The factor as it was begun before at this step."""

    challenge: str
    about: str
    sends: int
    last_sent: datetime


class CodeFactor(Protocol):
    """A way to prove something by a code that was sent."""

    @property
    def name(self) -> str:
        """The method's name in proofs."""

    def begin(self, attempt: Attempt, before: Earlier | None) -> Sent | TooSoon | Limited | Unreachable | SwitchedOff:
        """Send a code to the attempt's destination."""

    def check(self, attempt: Attempt, challenge: str, code: str) -> Proved | NotProved | Limited | SwitchedOff:
        """Try a code that was typed."""
