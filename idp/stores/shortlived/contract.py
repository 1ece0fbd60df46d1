"""The six verbs of the short-lived store."""

from __future__ import annotations

from typing import Protocol


class ShortLived(Protocol):
    """Records that may vanish at any moment. Losing one costs a retry, never safety.

    Every verb is one atomic step. Times are whole seconds. Each raises `idp.stores.Unavailable`
    when the store cannot answer within its time-out.
    """

    def put(self, key: str, value: bytes, *, ttl: int) -> None:
        """Keep `value` under `key` for `ttl` seconds, in place of what was there."""

    def get(self, key: str) -> bytes | None:
        """The record, or None when there is none or it has expired."""

    def take(self, key: str) -> bytes | None:
        """Return the record and delete it: only one caller ever gets it."""

    def swap(self, key: str, old: bytes, new: bytes, *, ttl: int | None = None) -> bool:
        """Replace the record only if it is still `old`; its time to live stays unless `ttl` is given."""

    def claim(self, key: str, *, ttl: int) -> bool:
        """True for the first caller only, until `ttl` seconds have passed (replay marks)."""

    def count(self, key: str, *, window: int, by: int = 1) -> int:
        """Add `by` and return the sum within the fixed window of `window` seconds; `by=0` reads."""
