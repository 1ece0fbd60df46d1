"""A breaker: stop asking a gateway that is down, and try it again after a while (SR-128)."""

from __future__ import annotations

from threading import Lock
from time import monotonic

FAILURES = 5
"""Failures in a row that open it."""

OPEN_FOR = 60.0
"""Seconds it stays open; then one message tries the way."""


class Breaker:
    """One per channel and process. Counts real seconds: it guards a server, not a person's time."""

    def __init__(self) -> None:
        self._failures = 0
        self._closed_at = 0.0
        self._lock = Lock()

    @property
    def is_open(self) -> bool:
        """Whether nothing should be sent now."""
        with self._lock:
            return self._failures >= FAILURES and monotonic() < self._closed_at

    def succeeded(self) -> None:
        """The gateway answered."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """It did not."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._closed_at = monotonic() + OPEN_FOR
