"""An OpenID provider on a real socket that says exactly what a test tells it to say, true or not."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwe, jws
from joserfc.jwk import ECKey, RSAKey

Answer = tuple[int, str, bytes]
JSON = "application/json"


def parameters(url: str) -> dict[str, str]:
    """What the query of an address says; nothing stands in it twice."""
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def half_hash(token: str) -> str:
    return urlsafe_b64encode(sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


NOW = 1_795_000_000
"""The instant of all that happens in these tests, however long they take."""

AT = datetime.fromtimestamp(NOW, UTC)


@dataclass
class Provider:
    """Members are what it will say next. `asked` is what it was asked: path, form or query, headers."""

    url: str
    key: ECKey | RSAKey
    algorithm: str
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    """Over the claims that are right; None takes one away."""
    userinfo: Callable[[], Answer] | None = None
    published: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    wrap: Callable[[str], str] = str
    answers: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    nonce: str = ""

    def said(self, path: str) -> list[dict[str, str]]:
        """The forms or queries that came to a path."""
        return [form for where, form, _ in self.asked if where == path]

    def id_token(self) -> str:
        now = NOW
        right = {
            "iss": self.url, "aud": "our-client", "sub": "subject-1", "iat": now, "exp": now + 300,
            "nonce": self.nonce, "at_hash": half_hash("access-1"), "jti": "token-1",
        }  # fmt: skip
        return self.signed({name: value for name, value in {**right, **self.claims}.items() if value is not None})

    def signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": self.algorithm, "kid": "key-1", "typ": "JWT", **self.header}
        registry = jws.JWSRegistry(algorithms=[self.algorithm], strict_check_header=False)
        return jws.serialize_compact(header, json.dumps(claims), self.key, registry=registry)

    def encrypted_to(self, key: RSAKey | ECKey, **header: str) -> None:
        """Encrypt every token from now on."""
        names = [value for name, value in header.items() if name in {"alg", "enc"}]
        registry = jwe.JWERegistry(algorithms=[*names, "DEF"], strict_check_header=False)
        self.wrap = lambda token: jwe.encrypt_compact({"cty": "JWT", **header}, token, key, registry=registry)

    def answer(self, path: str) -> Answer:
        if path in self.answers:
            return self.answers[path]()
        match path:
            case "/.well-known/openid-configuration":
                return _json(self._metadata())
            case "/jwks":
                own = self.key.as_dict(private=False, kid="key-1", use="sig")
                return _json({"keys": [own] if self.published is None else self.published})
            case "/par":
                return _json({"request_uri": "urn:example:1", "expires_in": 60}, status=201)
            case "/token":
                tokens = {"access_token": "access-1", "token_type": "Bearer", "id_token": self.wrap(self.id_token())}
                return _json(tokens)
            case "/userinfo" if self.userinfo:
                return self.userinfo()
            case _:
                return _json({"error": "not_found"}, status=404)

    def _metadata(self) -> dict[str, Any]:
        right = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/precheck/auth",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "pushed_authorization_request_endpoint": f"{self.url}/par",
        }
        return {name: value for name, value in {**right, **self.metadata}.items() if value is not None}


def _json(value: object, *, status: int = 200) -> Answer:
    return status, JSON, json.dumps(value).encode()


@contextmanager
def running(key: ECKey | RSAKey, algorithm: str) -> Iterator[Provider]:
    """A provider on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply({**dict(parse_qsl(urlsplit(self.path).query))})

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            self._reply(dict(parse_qsl(self.rfile.read(length).decode())))

        def _reply(self, form: dict[str, str]) -> None:
            path = urlsplit(self.path).path
            provider.asked.append((path, form, dict(self.headers)))
            status, kind, body = provider.answer(path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider = Provider(f"http://127.0.0.1:{server.server_port}", key, algorithm)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
