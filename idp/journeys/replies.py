"""What the engine answers: go there, draw this, it is over, it is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.interaction import SignIn
from idp.journeys.record import Fault, Notice


class TooManyJourneys(Exception):
    """From this address, or in total, more journeys begin than people could walk (SR-34)."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Stand:
    """Go there (303). With a session id, it is the browser's from now on; so is what a remembered device holds."""

    url: str
    session_id: str | None = field(default=None, repr=False)
    remembered: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Draw this page."""

    page: str
    journey_id: str
    journey: str
    step: str
    wanted: SignIn
    status: int = 200
    faults: tuple[Fault, ...] = ()
    notices: tuple[Notice, ...] = ()
    typed: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Over:
    """The journey is finished in this browser (P-ALREADY)."""

    wanted: SignIn


@dataclass(frozen=True, slots=True)
class Gone:
    """The journey is forgotten; where to start again, if that is still known."""

    start_uri: str | None


Reply = Stand | Shown | Over | Gone
