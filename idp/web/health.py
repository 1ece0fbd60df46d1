"""The operations address: is this process alive, and can it do its work? Apart from the public one (SR-116)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from idp.stores import Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Check = Callable[[], object]
"""Asks one store something small. Raises `Unavailable` when it cannot answer."""


class Operations:
    """A WSGI application with two addresses.

    `/live` is 200 as long as the process answers. `/ready` is 200 when every check passes, else 503 with
    the names of those that do not, so that a load balancer sends people elsewhere.
    """

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "GET")
        if path not in ("/live", "/ready"):
            return _answer(start_response, "404 Not Found", {})
        if method not in ("GET", "HEAD"):
            return _answer(start_response, "405 Method Not Allowed", {}, Allow="GET, HEAD")
        states = self._states() if path == "/ready" else {}
        well = all(state == "ok" for state in states.values())
        return _answer(start_response, "200 OK" if well else "503 Service Unavailable", states)

    def _states(self) -> dict[str, str]:
        states = {}
        for name, check in self._checks.items():
            try:
                check()
            except Unavailable:
                states[name] = "unavailable"
            else:
                states[name] = "ok"
        return states


def _answer(start_response: StartResponse, status: str, states: dict[str, str], **headers: str) -> list[bytes]:
    words = {"status": "ok" if status.startswith("200") else status.partition(" ")[2].lower(), **states}
    body = json.dumps(words).encode()
    sent = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Cache-Control": "no-store"}
    start_response(status, [*sent.items(), *headers.items()])
    return [body]
