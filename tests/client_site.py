"""A client's own web site, over TLS on this machine: it publishes documents and takes notices, well or badly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import orjson

from tests.receivers import certificate


@dataclass
class ClientSite:
    """`documents` are what lies at a path; `statuses` the next answers to a POST, then 200."""

    url: str = ""
    roots: str = ""
    """The PEM file that vouches for it."""
    documents: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forms: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    objects: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    """What came as JSON: where, what, and the headers, by names in small letters."""
    statuses: list[int] = field(default_factory=list)
    says: Callable[[BaseHTTPRequestHandler], None] | None = None
    """What it does instead of answering."""

    def settings(self) -> dict[str, dict[str, Any]]:
        """What lets a provider reach it."""
        return {"outgoing": {"allowed_networks": ["127.0.0.0/8"], "trusted_roots": self.roots}}


class _Handler(BaseHTTPRequestHandler):
    site: ClientSite

    def do_GET(self) -> None:
        self.site.asked.append(self.path)
        if self.site.says is not None:
            self.site.says(self)
            return
        found = self.site.documents.get(self.path)
        body = found if isinstance(found, bytes) else orjson.dumps(found)
        self._answer(200 if found is not None else 404, body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.site.statuses.pop(0) if self.site.statuses else 200
        if self.headers["Content-Type"] == "application/json":
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.site.objects.append((self.path, orjson.loads(body), headers))
        else:
            form = parse_qs(body.decode())
            self.site.forms.append((self.path, {name: values[0] for name, values in form.items()}))
        self._answer(status, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Location", f"{self.site.url}/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


def drips(request: BaseHTTPRequestHandler) -> None:
    """Say one byte at a time, for ever."""
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.2)
    except OSError:
        return  # who asked has hung up


@contextmanager
def client_site(folder: Path) -> Iterator[ClientSite]:
    """The site, on a port of its own."""
    roots, context = certificate(folder, "localhost")
    site = ClientSite(roots=str(roots))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
    server.daemon_threads = True
    site.url = f"https://localhost:{server.server_address[1]}"
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
