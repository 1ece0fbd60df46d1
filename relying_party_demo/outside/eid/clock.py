"""The time in the outside world. Tests may move it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

offset = 0.0
"""Seconds that are added to this machine's time."""


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC) + timedelta(seconds=offset)


def instant(moment: float) -> datetime:
    """The instant so many seconds after the epoch."""
    return datetime.fromtimestamp(moment, UTC)
