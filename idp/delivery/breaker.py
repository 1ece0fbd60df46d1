"""A breaker: stop asking a server that is down, and try it again after a while (SR-128)."""

from __future__ import annotations

import logging
from threading import Lock
from time import monotonic

from idp.stores import Unavailable
from idp.stores.shortlived.contract import ShortLived

log = logging.getLogger(__name__)

FAILURES = 5
"""Failures in a row that open it."""

OPEN_FOR = 60
"""Seconds it stays open; then one message tries the way."""


class Breaker:
    """One per channel and process. Counts real seconds: it guards a server, not a person's time.

    With a store, every process knows when one of them has found the channel down, and pages may ask.
    """

    def __init__(self, channel: str, store: ShortLived | None = None) -> None:
        self._channel = channel
        self._store = store
        self._failures = 0
        self._open_until = 0.0
        self._lock = Lock()

    @property
    def is_open(self) -> bool:
        """Whether nothing should be sent now."""
        with self._lock:
            if self._failures >= FAILURES and monotonic() < self._open_until:
                return True
        try:
            return self._store is not None and channel_is_down(self._store, self._channel)
        except Unavailable:
            return False  # what this process has seen itself is enough to go on with

    def succeeded(self) -> None:
        """The server answered."""
        with self._lock:
            was_down, self._failures = self._failures >= FAILURES, 0
        if was_down:
            log.warning("%s is up again", self._channel)

    def failed(self) -> None:
        """It did not."""
        with self._lock:
            self._failures += 1
            if self._failures < FAILURES:
                return
            self._open_until = monotonic() + OPEN_FOR
        log.error("%s is down: no message for %d seconds", self._channel, OPEN_FOR)
        try:
            if self._store is not None:
                self._store.put(_key(self._channel), b"1", ttl=OPEN_FOR)
        except Unavailable as problem:
            log.warning("the others are not told that %s is down: %s does not answer", self._channel, problem)


def channel_is_down(store: ShortLived, channel: str) -> bool:
    """Whether a worker has found `email`, `sms` or `voice` down in the last minute. Raises `Unavailable`.

    A page that is about to send may say so at once and leave the limits of sending untouched (section Q).
    """
    return store.get(_key(channel)) is not None


def _key(channel: str) -> str:
    return f"channel-down:{channel}"
