"""The time, in UTC. The one clock that everything reads, so that a test can move it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _source()


def timestamp() -> int:
    """The present instant as whole seconds since the epoch (a JWT's NumericDate)."""
    return int(_source().timestamp())


def use(source: Callable[[], datetime] | None) -> None:
    """Read the time from `source` from now on; from the system again when it is None."""
    global _source
    _source = source or _system
