"""An identity provider's keys in the test's hand, and the demo's parts behind real servers."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
from flask import Flask
from joserfc import jws
from joserfc.jwk import ECKey
from waitress import wasyncore
from waitress.server import create_server

MFA = "https://refeds.org/profile/mfa"
SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"
RESOURCE = "http://data.test/"

Ask = Callable[..., httpx.Response]


class Provider:
    """Discovery and a key set on loopback; the keys are the test's to sign with, rotate and lose."""

    def __init__(self) -> None:
        self.keys: list[ECKey] = [ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})]
        self.fetches = 0
        self.broken = False
        self.announced_issuer: str | None = None
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if self.broken:
            request.send_error(503)
            return
        if request.path == "/jwks":
            self.fetches += 1
            body: dict[str, Any] = {"keys": [key.as_dict(private=False) for key in self.keys]}
        else:
            body = {"issuer": self.announced_issuer or self.issuer, "jwks_uri": f"{self.issuer}/jwks"}
        request.send_response(200)
        request.end_headers()
        request.wfile.write(json.dumps(body).encode())

    def rotate(self, kid: str) -> None:
        """Replace the whole key set."""
        self.keys = [ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256", "use": "sig"})]

    def claims(self, **changes: object) -> dict[str, object]:
        """A good access token's claims (RFC 9068 §2.2); a change to None takes a claim away."""
        now = int(time.time())
        good: dict[str, object] = {
            "iss": self.issuer, "aud": RESOURCE, "sub": "kari", "client_id": "portal", "jti": "j1",
            "iat": now, "exp": now + 600, "auth_time": now - 5, "acr": SUBSTANTIAL, "amr": ["pwd", "otp", "mfa"],
            "scope": "openid payslips",
        }  # fmt: skip
        return {name: value for name, value in (good | changes).items() if value is not None}

    def signed(self, payload: bytes, **header: object) -> str:
        """A compact JWS of exactly these bytes; a header changed to None is left out."""
        full = {"alg": "ES256", "typ": "at+jwt", "kid": self.keys[0].kid} | header
        protected = {name: value for name, value in full.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=["ES256", "HS256"], strict_check_header=False)
        return jws.serialize_compact(protected, payload, self.keys[0], registry=registry)

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A good access token, but for the changes."""
        return self.signed(json.dumps(self.claims(**changes)).encode(), **(header or {}))


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The application behind a real server on a free port; gives its URL without a slash."""
    server: Any = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.task_dispatcher.shutdown()
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))  # in its own thread: no race
        thread.join(5)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
