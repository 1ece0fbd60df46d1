"""What the hot paths cost: processor time, database statements and short-lived trips a request.

Requests go through the whole WSGI application in this process, so no network and no load generator
blurs the figures. Processor time is told as a ratio to a reference loop (SHA-256 of 64 KiB) of the same
run: ratios can be compared between machines and days, microseconds cannot.

    make bench
    make bench BENCH="--database postgresql+psycopg://… --shortlived redis://…"
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from idp import clock
from idp.app import create_app
from idp.foundation import open_durable
from idp.rules.assurance import Proof
from idp.services import accounts, clients, keys, sessions
from idp.settings import Settings
from idp.stores.durable import schema
from idp.stores.durable.db import db
from idp.stores.durable.sealing import create_root_secrets

ISSUER = "https://login.example"
REDIRECT = "https://portal.example/callback"
API = "https://api.example/"
ROUNDS = 5


@dataclass
class Counted:
    """How often each store was asked."""

    statements: int = 0
    trips: int = 0


@dataclass
class Bench:
    """A provider with one signed-in person, one portal, one machine."""

    app: Flask
    client: FlaskClient
    counted: Counted
    portal: tuple[str, str]
    machine: tuple[str, str]
    verifier: str
    challenge: str

    def post(self, path: str, who: tuple[str, str], **form: str) -> dict[str, Any]:
        """A form POST with Basic authentication; its JSON."""
        answer = self.client.post(path, base_url=ISSUER, data=form, auth=who)
        if answer.status_code != 200:
            raise RuntimeError(answer.get_data(as_text=True))
        found: dict[str, Any] = answer.get_json()
        return found

    def authorize(self) -> str:
        """A code, with a live session."""
        asked = {
            "client_id": self.portal[0],
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": "openid email offline_access",
            "state": "s",
            "nonce": "n",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        answer = self.client.get("/authorize", base_url=ISSUER, query_string=asked)
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def exchange(self, code: str, **more: str) -> dict[str, Any]:
        """Tokens for a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        return self.post("/token", self.portal, code_verifier=self.verifier, **form, **more)


def main() -> int:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200, help="requests of each kind and round (200)")
    parser.add_argument("--database", help="SQLAlchemy URL of an empty database (default: SQLite in a new folder)")
    parser.add_argument("--shortlived", help="redis:// URL (default: SQLite in the same folder)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = build(Path(folder), given.database, given.shortlived)
        figures = measure(bench, given.requests)
    if given.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return 0
    sys.stdout.write(f"{'request':24}{'CPU us':>9}{'x reference':>13}{'SQL':>6}{'trips':>7}\n")
    for name, row in figures.items():
        line = f"{name:24}{row['cpu_us']:9.0f}{row['ratio']:13.2f}{row['statements']:6.1f}{row['trips']:7.1f}\n"
        sys.stdout.write(line)
    return 0


def build(folder: Path, database: str | None, shortlived: str | None) -> Bench:
    """The provider, set up as `idp setup` would."""
    create_root_secrets(folder / "keys")
    told = {
        "server": {"issuer": ISSUER, "worker": False},
        "database": {"url": database or f"sqlite:///{folder}/idp.sqlite"},
        "shortlived": {"url": shortlived or f"sqlite:///{folder}/shortlived.sqlite"},
        "secrets": {"directory": str(folder / "keys")},
        "passwords": {"argon2_memory_kib": 19456, "argon2_passes": 2},
    }
    settings = msgspec.convert(told, Settings)
    with open_durable(settings).app_context():
        schema.upgrade()
        keys.first_keys()
    app = create_app(settings)
    verifier = secrets.token_urlsafe(40)
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    client = app.test_client()
    with app.app_context():
        portal, machine = _register(offline=True), _register(offline=False)
        client.set_cookie("__Host-session", _signed_in(app, settings), domain="login.example")
    return Bench(app, client, _counted(app), portal, machine, verifier, challenge)


def measure(bench: Bench, requests: int) -> dict[str, dict[str, float]]:
    """Median processor time of each request, its ratio to the reference, and its trips."""
    kinds: dict[str, Callable[[], Callable[[int], object]]] = {
        "discovery": lambda: lambda _: bench.client.get("/.well-known/openid-configuration", base_url=ISSUER),
        "jwks": lambda: lambda _: bench.client.get("/jwks", base_url=ISSUER),
        "client credentials, JWT": lambda: (
            lambda _: bench.post("/token", bench.machine, grant_type="client_credentials")
        ),
        "authorize, session alive": lambda: lambda _: bench.authorize(),
        "code exchange": lambda: _exchanges(bench, requests),
        "refresh, rotated": lambda: _refreshes(bench),
        "userinfo, opaque": lambda: _userinfo(bench),
        "introspection, opaque": lambda: _introspection(bench),
    }
    figures: dict[str, dict[str, float]] = {}
    references = [_timed(_reference, requests) for _ in range(ROUNDS)]
    for name, prepare in kinds.items():
        taken = []
        for _ in range(ROUNDS):
            act = prepare()
            bench.counted.statements = bench.counted.trips = 0
            taken.append(_timed(act, requests))
            statements, trips = bench.counted.statements / requests, bench.counted.trips / requests
        cpu = median(taken)
        figures[name] = {
            "cpu_us": cpu * 1e6,
            "ratio": cpu / median(references),
            "statements": statements,
            "trips": trips,
        }
    return figures


def _exchanges(bench: Bench, requests: int) -> Callable[[int], object]:
    codes = [bench.authorize() for _ in range(requests)]
    return lambda number: bench.exchange(codes[number])


def _refreshes(bench: Bench) -> Callable[[int], object]:
    held = [bench.exchange(bench.authorize())["refresh_token"]]

    def refresh(_: int) -> None:
        held[0] = bench.post("/token", bench.portal, grant_type="refresh_token", refresh_token=held[0])["refresh_token"]

    return refresh


def _userinfo(bench: Bench) -> Callable[[int], object]:
    bearer = {"Authorization": f"Bearer {bench.exchange(bench.authorize())['access_token']}"}
    return lambda _: bench.client.get("/userinfo", base_url=ISSUER, headers=bearer)


def _introspection(bench: Bench) -> Callable[[int], object]:
    token = bench.exchange(bench.authorize())["access_token"]
    return lambda _: bench.post("/introspect", bench.portal, token=token)


BLOCK = bytes(64 * 1024)


def _reference(_: int) -> None:
    sha256(BLOCK).digest()


def _timed(act: Callable[[int], object], times: int) -> float:
    began = process_time()
    for number in range(times):
        act(number)
    return (process_time() - began) / times


def _register(*, offline: bool) -> tuple[str, str]:
    told: dict[str, Any] = {"client_name": "Bench", "first_party": True, "resources": [API]}
    if offline:
        told |= {
            "redirect_uris": [REDIRECT],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid email offline_access",
            "id_token_signed_response_alg": "ES256",
        }
    else:
        told |= {"grant_types": ["client_credentials"], "scope": "payslips"}
    registered = clients.register(told)
    return registered.client.client_id, registered.secret or ""


def _signed_in(app: Flask, settings: Settings) -> str:
    account = accounts.open_account(
        canonical="ada@example.com",
        typed="ada@example.com",
        locale="en",
        verifier=None,
        phone={"e164": "+4794000000", "takes_sms": "yes"},
    )
    now = clock.now()
    until = now.replace(year=now.year + 1)
    proofs = [Proof(method=method, at=now, until=until) for method in ("password", "sms")]
    return sessions.start(app.extensions["idp"].store, settings.sessions, account, proofs)


def _counted(app: Flask) -> Counted:
    """Count what is asked of either store from now on."""
    counted = Counted()
    with app.app_context():

        @event.listens_for(db.engine, "before_cursor_execute")
        def _statement(*_: object) -> None:
            counted.statements += 1

    store = app.extensions["idp"].store
    for verb in ("put", "get", "take", "swap", "claim", "count"):
        setattr(store, verb, _counting(getattr(store, verb), counted))
    return counted


def _counting(verb: Callable[..., Any], counted: Counted) -> Callable[..., Any]:
    def call(*given: Any, **more: Any) -> Any:
        counted.trips += 1
        return verb(*given, **more)

    return call


if __name__ == "__main__":
    raise SystemExit(main())
