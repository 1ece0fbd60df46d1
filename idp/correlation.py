"""Which request, from where: carried beside the call so that log lines and audit events agree.

The address is truncated before it gets here (SR-119); nothing below the edge ever sees a whole one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Correlation:
    """`reference` is what an error page shows (`7K3F-92QD`); `network` is an IPv4 /24 or IPv6 /48."""

    reference: str = ""
    network: str = ""


_current: ContextVar[Correlation] = ContextVar("correlation", default=Correlation())


def current() -> Correlation:
    """The correlation of the request or command being served."""
    return _current.get()


@contextmanager
def during(correlation: Correlation) -> Iterator[None]:
    """Carry `correlation` for as long as the block runs."""
    token = _current.set(correlation)
    try:
        yield
    finally:
        _current.reset(token)
