"""The operations address of `idp serve`: health and readiness, apart from the public one (SR-116)."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask

from idp.services import checks
from idp.settings import Settings
from idp.stores import Unavailable
from idp.stores.shortlived.opening import open_store
from idp.web.health import Operations

ANSWER_WITHIN = 2.0
"""Seconds a worker has to answer before it counts as not ready."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    timeout = 5

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: probes come every second."""


def listen(settings: Settings, application: Flask) -> None:
    """Answer on the operations address from a thread of this process. Raises OSError when it is taken."""
    host, port = host_and_port(settings.server.operations_listen)
    store = open_store(settings.shortlived)

    def database() -> None:
        with application.app_context():
            checks.ping()

    operations = Operations(
        {
            "server": _public(settings),
            "database": database,
            "shortlived": lambda: store.get("readiness"),
        }
    )
    server = make_server(host, port, operations, server_class=_Server, handler_class=_Silent)
    Thread(target=server.serve_forever, name="operations", daemon=True).start()


def host_and_port(address: str) -> tuple[str, int]:
    """`127.0.0.1:8000` or `[::1]:8000` in its two parts."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _public(settings: Settings) -> Callable[[], None]:
    """Ask the public address, as a proxy would, whether a worker answers."""
    host, port = host_and_port(settings.server.listen)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what listens everywhere is asked here
    name = urlsplit(settings.server.issuer).netloc

    def ask() -> None:
        connection = HTTPConnection(host, port, timeout=ANSWER_WITHIN)
        try:
            connection.request("GET", "/jwks", headers={"Host": name})
            status = connection.getresponse().status
        except (OSError, HTTPException) as problem:
            raise Unavailable("server") from problem
        finally:
            connection.close()
        if status >= 500:
            raise Unavailable("server")

    return ask
