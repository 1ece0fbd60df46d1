"""An end to talks with servers that never time out by themselves, since they say a little every now and then."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

AGAIN_AFTER = 0.2
"""Seconds between two cuts: TLS may have put another socket in the place of the one that was cut."""


@contextmanager
def cut_after(seconds: float, find: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Shut the socket that `find` gives, unless the block has ended in so many seconds (SR-128).

    Whoever reads from it or writes to it then fails as if the server had hung up.
    """
    done = Event()

    def watch() -> None:
        left = seconds
        while not done.wait(left):
            left = AGAIN_AFTER
            found = find()
            if found is not None:
                with suppress(OSError):  # it was closed in between
                    found.shutdown(socket.SHUT_RDWR)

    watcher = Thread(target=watch, name="deadline", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
