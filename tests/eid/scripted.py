"""An eID whose every answer the test has written down: for what is ours, whatever the provider's protocol is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec

from idp.eid.connector import Attempt, Failed, Leave, Pending, Result, Started, Verified, View, Waiting

KARI = {"country": "NO", "number": "15868695082", "given_name": "Kari", "family_name": "Nordmann"}
OLA = {"country": "NO", "number": "02847512345", "given_name": "Ola", "family_name": "Nordmann"}


def verified(person: Mapping[str, str], *, at: datetime, level: str = "gold", **more: Any) -> Verified:
    """What a provider says of this person, with the level in its own words."""
    told: dict[str, Any] = {
        "reference": f"ref-{person['number']}",
        "birthdate": date(1986, 10, 15),
        "claimed_level": level,
        "amr": ("pin", "pop", "mfa"),
        "at": at,
        "evidence": {"type": "electronic_record", "check_details": [{"check_method": "data", "check_id": "txn-1"}]},
        **more,
    }
    return Verified(**{**person, **told})


@dataclass
class Scripted:
    """One eID. `says` is what the next question hears, a function of the instant; it counts what it was asked."""

    name: str = "test-eid"
    label: str = "Test-eID"
    issuer_name: str = "the bank"
    flows: tuple[str, ...] = ("app",)
    levels: Mapping[str, str] = field(default_factory=lambda: {"gold": "high", "silver": "substantial"})
    origins: tuple[str, ...] = ("https://eid.example",)
    says: Any = field(default_factory=lambda: Pending("start-app"))
    begins: Started | None = None
    secret: str = "a-secret"
    attempts: list[Attempt] = field(default_factory=list)
    asked: int = 0
    cancelled: int = 0

    def start(self, attempt: Attempt) -> Started:
        self.attempts.append(attempt)
        if self.begins is not None:
            return self.begins
        notes = msgspec.json.encode({"secret": self.secret})
        if attempt.flow == "redirect":
            return Leave(f"https://eid.example/authorize?state={attempt.state}", notes)
        return Waiting(notes)

    def returned(self, notes: bytes, answer: Mapping[str, str], *, now: datetime) -> Result:
        return self.poll(notes, now=now)

    def poll(self, notes: bytes, *, now: datetime) -> Result:
        self.asked += 1
        said = self.says(now) if callable(self.says) else self.says
        assert isinstance(said, Pending | Verified | Failed)
        return said

    def view(self, notes: bytes, *, now: datetime, locale: str) -> View:
        return View(qr=f"qr.{int(now.timestamp())}", link="https://eid.example/app", hint="start-app")

    def cancel(self, notes: bytes) -> None:
        self.cancelled += 1

    @property
    def state(self) -> str:
        """The state of the newest attempt, as only the provider knows it."""
        return self.attempts[-1].state
