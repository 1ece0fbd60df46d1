"""An identity provider's keys in the test's hand, and the demo's parts behind real servers."""

from __future__ import annotations

import json
import socket
import time
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import httpx
from flask import Flask
from joserfc import jws
from joserfc.jwk import ECKey
from waitress import wasyncore
from waitress.server import create_server

MFA = "https://refeds.org/profile/mfa"
SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"
HIGH = "http://eidas.europa.eu/LoA/high"
RESOURCE = "http://data.test/"

PEOPLE = {
    "kari": ("NO", "12846810135", "Kari", "Nordmann", "1968-04-12"),
    "ola": ("NO", "03915920127", "Ola", "Hansen", "1959-11-03"),
    "aino": ("EE", "48303140001", "Aino", "Virtanen", "1983-03-14"),
    "other-anne": ("NO", "21867534099", "Anne", "Berg", "1975-06-21"),
}
"""Who each subject was proved to be: country, national number, names, birth date."""

Ask = Callable[..., httpx.Response]


class Provider:
    """Discovery and a key set on loopback; the keys are the test's to sign with, rotate and lose."""

    def __init__(self) -> None:
        self.keys: list[ECKey] = [ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})]
        self.fetches = 0
        self.broken = False
        self.announced_issuer: str | None = None
        self.token_answers: list[tuple[int, dict[str, Any]]] = []
        self.token_requests: list[dict[str, str]] = []
        self.people = dict(PEOPLE)
        self.asked_who: list[str] = []
        self.told_sub: str | None = None
        self.live: dict[str, dict[str, object]] = {}
        self.asked_about: list[str] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self)

            def do_POST(self) -> None:
                provider.answer_introspection(self) if self.path == "/introspect" else provider.answer_token(self)

            def log_message(self, format: str, *args: object) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if self.broken:
            request.send_error(503)
            return
        if request.path == "/userinfo":
            self.answer_userinfo(request)
            return
        if request.path == "/jwks":
            self.fetches += 1
            body: dict[str, Any] = {"keys": [key.as_dict(private=False) for key in self.keys]}
        else:
            body = {
                "issuer": self.announced_issuer or self.issuer,
                "jwks_uri": f"{self.issuer}/jwks",
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "introspection_endpoint": f"{self.issuer}/introspect",
                "end_session_endpoint": f"{self.issuer}/logout",
                "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            }
        _send(request, 200, body)

    def answer_userinfo(self, request: BaseHTTPRequestHandler) -> None:
        """Tell who the token's subject was proved to be."""
        payload = request.headers["Authorization"].split(".")[1]
        subject = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
        self.asked_who.append(subject)
        told: dict[str, Any] = {"sub": self.told_sub or subject}
        if subject in self.people:
            country, number, given, family, born = self.people[subject]
            told["national_number"] = {"country": country, "number": number}
            claims = {"given_name": given, "family_name": family, "birthdate": born}
            told["verified_claims"] = {"verification": {"trust_framework": "no_bankid"}, "claims": claims}
        _send(request, 200, told)

    def answer_token(self, request: BaseHTTPRequestHandler) -> None:
        """Answer the token endpoint with the next of `token_answers`."""
        given = parse_qs(request.rfile.read(int(request.headers["Content-Length"])).decode())
        self.token_requests.append({name: value for name, [value] in given.items()})
        status, body = self.token_answers.pop(0)
        _send(request, status, body)

    def answer_introspection(self, request: BaseHTTPRequestHandler) -> None:
        """Tell whether a token is in `live`, to the data service alone."""
        given = parse_qs(request.rfile.read(int(request.headers["Content-Length"])).decode())
        if self.broken or request.headers["Authorization"] != f"Basic {b64encode(b'api:s3cret').decode()}":
            request.send_error(503 if self.broken else 401)
            return
        [token] = given["token"]
        self.asked_about.append(token)
        _send(request, 200, {"active": True, **self.live[token]} if token in self.live else {"active": False})

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


def _send(request: BaseHTTPRequestHandler, status: int, body: dict[str, Any]) -> None:
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.end_headers()
    request.wfile.write(json.dumps(body).encode())


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A socket on a free port, so that its URL is known before its application."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield free


@contextmanager
def serving(app: Flask, on: socket.socket | None = None) -> Iterator[str]:
    """The application behind a real server, on a free port or that socket; gives its URL without a slash."""
    where: dict[str, Any] = {"sockets": [on]} if on else {"host": "127.0.0.1", "port": 0}
    server: Any = create_server(app, threads=4, **where)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.task_dispatcher.shutdown()
        with suppress(OSError):  # woken by something else in this very moment, it has closed itself already
            server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))  # in its own thread
        thread.join(5)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class PortalVisitor:
    """A browser at the portal that goes to the provider only as far as the test wants."""

    http: httpx.Client
    provider: Provider
    resource: str
    state: Path

    def page(self, path: str = "/") -> str:
        """What the browser shows after following the portal's own redirects."""
        return self.http.get(path, follow_redirects=True).text

    def leaves(self, path: str = "/login", **form: str) -> dict[str, str]:
        """Press something that leads to the provider; gives the authorization request."""
        answer = self.http.post(path, data=form) if form else self.http.get(path)
        assert answer.status_code == 303, answer.text
        there, _, query = answer.headers["location"].partition("?")
        assert there == f"{self.provider.issuer}/authorize", there
        return {name: values[0] for name, values in parse_qs(query).items()}

    def returns(self, asked: dict[str, str], *, grant: bool = True, **changes: Any) -> httpx.Response:
        """Come back from the provider. `changes` to the answer's parameters; None takes one away."""
        if grant:
            self.provider.token_answers.append((200, self.tokens(nonce=asked["nonce"])))
        good = {"state": asked["state"], "iss": self.provider.issuer, "code": "c0de"} | changes
        answer = {name: value for name, value in good.items() if value is not None}
        return self.http.get("/callback", params=answer)

    def tokens(
        self,
        *,
        access: dict[str, Any] | None = None,
        header: dict[str, Any] | None = None,
        lives: int = 600,
        refresh: str | None = "r1",
        **claims: Any,
    ) -> dict[str, Any]:
        """A token endpoint's answer: changes for the ID token, `access` for the access token."""
        now = int(time.time())
        said = {"aud": "portal", "client_id": None, "jti": None, "scope": None, "acr": MFA, "email": "kari@example.org"}
        id_token = self.provider.token({"typ": "JWT"} | (header or {}), **(said | claims))
        granted: dict[str, Any] = {"aud": self.resource, "acr": MFA, "exp": now + lives} | (access or {})
        access_token = self.provider.token(**granted)
        answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": lives, "id_token": id_token}
        return answer | ({"refresh_token": refresh} if refresh else {})

    def signs_in(self, **tokens: Any) -> None:
        """The whole of signing in."""
        asked = self.leaves()
        self.provider.token_answers.append((200, self.tokens(nonce=asked["nonce"], **tokens)))
        assert self.returns(asked, grant=False).headers["location"] == "/"


def is_free(port: int) -> bool:
    """Whether a server could listen on that port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
