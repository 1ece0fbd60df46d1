"""Limits: counts and thresholds in, a decision out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowed:
    """Go on."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now; in so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """Not by this factor any more, until it is set up anew (SR-17, SR-30)."""


Decision = Allowed | Wait | SwitchedOff

PASSWORD_WAITS = (60, 120, 240, 480, 900)
"""Seconds to wait after the 5th, 6th … miss in a row (page spec §6); the last one stays."""

MISSES_WITHOUT_WAIT = 4


def password_wait(misses: int) -> int:
    """Seconds to wait after so many misses in a row (SR-30)."""
    if misses <= MISSES_WITHOUT_WAIT:
        return 0
    return PASSWORD_WAITS[min(misses - MISSES_WITHOUT_WAIT, len(PASSWORD_WAITS)) - 1]


def within(count: int, most: int, seconds: int) -> Decision:
    """Allowed while the count, this time included, is at most `most`; else wait out the window."""
    return Allowed() if count <= most else Wait(seconds)
