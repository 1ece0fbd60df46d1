"""What the tester has said in advance: who answers the next transaction of an eID, and how."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

OUTCOMES = ("approve", "refuse", "wrong-code", "timeout", "ignore")
"""What a person can do with a request in their app."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One transaction's answer. Without a person it is the one who was asked for, or the first who has the eID."""

    person: str | None = field(default=None, repr=False)
    outcome: str = "approve"
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A transaction that waits for somebody at the phone page."""

    id: str
    eid: str
    text: str
    """What the app shows."""
    code: str | None = None
    """The verification code that the app shows, if any."""
    asked_for: str | None = field(default=None, repr=False)
    """The only person who may answer, if the service named one."""


class Phone(Protocol):
    """A simulator whose requests are answered in an app."""

    faults: Mapping[str, str]
    """Every fault it can have, and what it is."""

    def waiting(self) -> Sequence[Waiting]:
        """The transactions that wait for an answer."""

    def scan(self, content: str) -> str:
        """Read a QR code or open a link of the app; the transaction's id. Raises ValueError, in words."""

    def act(self, transaction_id: str, person: str | None, action: str, *, fault: str | None = None) -> str | None:
        """Answer. The address that the app opens afterwards, if any. Raises LookupError or ValueError, in words."""


class Script:
    """Instructions per eID, first come first served."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._said: dict[str, deque[Instruction]] = {}

    def say(self, eid: str, instruction: Instruction) -> None:
        """The next transaction of this eID that nobody has spoken for answers so. Raises ValueError, in words."""
        if instruction.outcome not in OUTCOMES:
            raise ValueError(f"outcome must be one of {', '.join(OUTCOMES)}")
        with self._lock:
            self._said.setdefault(eid, deque()).append(instruction)

    def next(self, eid: str) -> Instruction | None:
        """The next instruction, taken; None when a person has to press the buttons."""
        with self._lock:
            said = self._said.get(eid)
            return said.popleft() if said else None
