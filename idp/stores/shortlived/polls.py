"""How often a client asks what became of its request: the interval it must keep, which grows when it does not.

Nothing is granted by it, so it may vanish: then the client is held to the first interval again.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from idp.stores.shortlived.contract import ShortLived

INTERVAL = 5
"""Seconds between two polls (RFC 8628 §3.2), and what is added when they come faster (§3.5)."""

LENIENCY = 1
"""Seconds by which a poll may be early: the one before may have been longer on its way."""

TRIES = 5
"""Times that polls at the very same time may get in each other's way before one is told to wait."""


class _Pace(Struct, frozen=True):
    interval: int
    last: datetime


_decode = msgspec.msgpack.Decoder(_Pace).decode
_encode = msgspec.msgpack.Encoder().encode


def in_time(store: ShortLived, handle_digest: bytes, *, now: datetime, ttl: int) -> bool:
    """Whether this poll keeps the interval; one that does not makes it longer for all that follow (RFC 8628 §3.5)."""
    key = f"poll:{handle_digest.hex()}"
    if store.claim(f"{key}:begun", ttl=ttl):
        store.put(key, _encode(_Pace(INTERVAL, now)), ttl=ttl)
        return True
    for _ in range(TRIES):
        before = store.get(key)
        pace = _decode(before) if before is not None else _Pace(INTERVAL, now)  # one that comes with the very first
        early = (now - pace.last).total_seconds() < pace.interval - LENIENCY
        after = _encode(_Pace(pace.interval + INTERVAL if early else pace.interval, now))
        if before is None:
            store.put(key, after, ttl=ttl)
            return False
        if store.swap(key, before, after):
            return not early
    return False
