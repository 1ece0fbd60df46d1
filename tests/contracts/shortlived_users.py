"""Who uses a short-lived store from a process of its own. Little is imported here, since each process imports it."""

from __future__ import annotations

from collections.abc import Callable

from idp.settings import ShortLivedStore
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.opening import open_store
from tests.races.together import in_parallel


def opened_at(url: str) -> ShortLived:
    """The store of this URL, with time for a long queue."""
    return open_store(ShortLivedStore(url=url, timeout_milliseconds=5000))


def taking(url: str) -> Callable[[], list[bytes | None]]:
    """A process opens the store, and its threads take."""
    opened = opened_at(url)
    return lambda: in_parallel(10, lambda: opened.take("k"))


def counting(url: str) -> Callable[[], list[int]]:
    """A process opens the store, and its threads count."""
    opened = opened_at(url)
    return lambda: in_parallel(10, lambda: opened.count("n", window=60))
