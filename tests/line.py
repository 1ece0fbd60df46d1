"""A TCP line to a server on this machine that can be cut, frozen, mended, or lose an answer."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from threading import Thread
from typing import Self


class Line:
    """The fault is real, and the server, which other tests use too, is spared."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._state = "whole"
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        close(self._listener)

    def cut(self) -> None:
        """Drop what is open; refuse what comes."""
        self._state = "cut"
        for end in self._ends:
            close(end)
        self._ends.clear()

    def freeze(self) -> None:
        """Take everything and answer nothing."""
        self._state = "frozen"

    def lose_an_answer(self) -> None:
        """Let the next question through, and drop its connection when the server answers."""
        self._state = "losing"

    def mend(self) -> None:
        """Work again; what was open is dropped."""
        self.cut()
        self._state = "whole"

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._state == "cut":
                close(near)
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [near, far]
            Thread(target=self._carry, args=(near, far), daemon=True).start()
            Thread(target=self._carry, args=(far, near, True), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, answers: bool = False) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if answers and self._state == "losing":
                    self._state = "whole"
                    break
                while self._state == "frozen":
                    time.sleep(0.02)
                sink.sendall(data)
        close(source)
        close(sink)


def close(end: socket.socket) -> None:
    """Close a socket now, also where a thread waits for it."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
