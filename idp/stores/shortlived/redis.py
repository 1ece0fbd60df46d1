"""The six verbs on Redis (a single server, Sentinel or Cluster: every script touches one key)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from idp.stores import Unavailable

Result = TypeVar("Result")

PREFIX = "idp:"

SWAP = """
local now = redis.call('GET', KEYS[1])
if now ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return 1
"""

COUNT = """
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if sum == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return sum
"""


class RedisStore:
    """Records in Redis; their time to live is Redis's own, by its clock, and at least one second."""

    def __init__(self, url: str, *, timeout: float, password: str | None = None) -> None:
        """`timeout` is how many seconds one verb may take before the store counts as down."""
        given: dict[str, Any] = {"password": password} if password else {}
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            # Never sent twice: where only the answer was lost, the second `take` would find nothing, and "down"
            # would read as "not found". The pool looks at a connection first, so a restarted server costs no verb.
            retry=Retry(NoBackoff(), 0),
            **given,
        )
        self._swap = self._redis.register_script(SWAP)
        self._count = self._redis.register_script(COUNT)

    def put(self, key: str, value: bytes, *, ttl: int) -> None:
        """Keep `value` under `key` for `ttl` seconds."""
        self._asked(lambda: self._redis.set(PREFIX + key, value, ex=max(1, ttl)))

    def get(self, key: str) -> bytes | None:
        """The record, or None."""
        found: bytes | None = self._asked(lambda: self._redis.get(PREFIX + key))
        return found

    def take(self, key: str) -> bytes | None:
        """Return the record and delete it: only one caller ever gets it."""
        found: bytes | None = self._asked(lambda: self._redis.getdel(PREFIX + key))
        return found

    def swap(self, key: str, old: bytes, new: bytes, *, ttl: int | None = None) -> bool:
        """Replace the record only if it is still `old`."""
        lifetime = "" if ttl is None else str(max(1, ttl))
        return bool(self._asked(lambda: self._swap(keys=[PREFIX + key], args=[old, new, lifetime])))

    def claim(self, key: str, *, ttl: int) -> bool:
        """True for the first caller only, until `ttl` seconds have passed."""
        return bool(self._asked(lambda: self._redis.set(PREFIX + key, b"", nx=True, ex=max(1, ttl))))

    def count(self, key: str, *, window: int, by: int = 1) -> int:
        """Add `by` and return the sum within the window; `by=0` reads."""
        if by == 0:
            return int(self.get(key) or 0)
        return int(self._asked(lambda: self._count(keys=[PREFIX + key], args=[by, max(1, window)])))

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def _asked(self, verb: Callable[[], Any]) -> Any:
        try:
            return verb()
        except redis.RedisError as problem:
            raise Unavailable("short-lived store") from problem
