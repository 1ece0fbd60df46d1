"""People who act, and the provider they act on: real stores, real mail and gateway servers, a clock that moves."""

from __future__ import annotations

import json
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp import clock
from idp.app import create_app
from idp.assembly import Parts
from idp.rules.assurance import Proof
from idp.services import accounts, clients, sessions
from idp.settings import Settings
from idp.stores.durable.db import db
from idp.stores.durable.sealing import create_root_secrets
from tests.durable import make_tables
from tests.reading import Page
from tests.signing import first_keys

ROOT = Path(__file__).parent.parent
PORTAL = "https://portal.example/callback"
PAYSLIPS = "https://alumni.example/api"
PASSWORD = "elleve blå elger danser"


SPOKEN = {
    word: str(digit)
    for words in ("zero one two three four five six seven eight nine", "null en to tre fire fem seks sju åtte ni")
    for digit, word in enumerate(words.split())
}


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Outside:
    """The outside world's inbox: an SMTP server and a phone gateway, over real sockets."""

    url: str
    smtp_port: int

    def messages(self, to: str) -> list[dict[str, Any]]:
        """All that reached this address or number, oldest first."""
        with urllib.request.urlopen(f"{self.url}/messages?to={quote(to)}", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def code(self, to: str) -> str:
        """The code in the newest message."""
        found = self.messages(to)
        assert found, f"nothing reached {to}"
        spoken = found[-1]["text"]
        match = re.search(r"(?<!\d)\d{6}(?!\d)", f"{found[-1]['subject'] or ''} {spoken}")
        if match:
            return match[0]
        heard = [SPOKEN[word] for word in re.findall(r"\w+(?=\.)", spoken.lower()) if word in SPOKEN]
        assert len(heard) >= 6, spoken
        return "".join(heard[:6])

    def fault(self, channel: str, mode: str) -> None:
        """Make a channel misbehave."""
        body = json.dumps({"channel": channel, "mode": mode, "seconds": 1}).encode()
        wanted = urllib.request.Request(f"{self.url}/faults", data=body, headers={"Content-Type": "application/json"})
        urllib.request.urlopen(wanted, timeout=5).close()


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """The outside world, in a process of its own."""
    port, smtp_port = free_port(), free_port()
    command = [sys.executable, "-m", "relying_party_demo.outside", "--state", str(tmp_path_factory.mktemp("outside"))]
    command += ["--listen", f"127.0.0.1:{port}", "--smtp-port", str(smtp_port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        world = Outside(f"http://127.0.0.1:{port}", smtp_port)
        try:
            for _ in range(200):
                try:
                    world.messages("nobody@example.no")
                    break
                except OSError:
                    time.sleep(0.05)
            yield world
        finally:
            process.terminate()


@dataclass
class Provider:
    """The identity provider under test, with a portal registered."""

    app: Flask
    parts: Parts
    outside: Outside
    portal: str = ""
    secret: str = ""

    def register(self, **metadata: Any) -> clients.Registered:
        """Register a client; what is not said is as the portal has it."""
        told = {
            "client_name": "Alumni",
            "redirect_uris": [PORTAL],
            "client_uri": "https://portal.example/",
            "first_party": True,
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile email phone offline_access payslips",
            "token_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": "ES256",
            "resources": [PAYSLIPS],
            **metadata,
        }
        with self.app.app_context():
            kept = {name: value for name, value in told.items() if value is not None}
            return clients.register(kept, out=self.parts.guarded)

    def post(self, path: str, data: dict[str, str], *, auth: Any = None, **more: Any) -> TestResponse:
        """A form POST by the portal, or by whoever `auth` is; `auth=False` for nobody."""
        who = (self.portal, self.secret) if auth is None else auth or None
        client = self.app.test_client()
        return client.post(path, base_url="https://login.example", data=data, auth=who, **more)

    def refresh(self, token: str, **more: str) -> TestResponse:
        """The portal uses a refresh token."""
        return self.post("/token", {"grant_type": "refresh_token", "refresh_token": token, **more})

    def deliver(self) -> None:
        """Let the worker send what waits."""
        from idp.app import worker_of

        with self.app.app_context():
            worker_of(self.app).work_once()

    def person(self, **about: Any) -> Person:
        """Somebody with a mailbox, a phone and a browser of their own."""
        return Person(self, self.app.test_client(), **about)


@pytest.fixture
def provider(stores: tuple[str, str], tmp_path: Path, outside: Outside) -> Iterator[Provider]:
    """The provider, on either pair of stores."""
    with new_provider(settings_for(stores, tmp_path, outside), outside) as made:
        yield made


@contextmanager
def new_provider(settings: Settings, outside: Outside) -> Iterator[Provider]:
    """A provider on empty stores, with tables, keys and a portal."""
    app = create_app(settings)
    with app.app_context():
        make_tables(db.engine)
        first_keys()
    made = Provider(app, app.extensions["idp"], outside)
    registered = made.register()
    made.portal, made.secret = registered.client.client_id, registered.secret or ""
    yield made
    with app.app_context():
        db.engine.dispose()


def on_sqlite(folder: Path) -> tuple[str, str]:
    """URLs of an empty durable and an empty short-lived store in this folder."""
    return f"sqlite:///{folder}/idp.sqlite", f"sqlite:///{folder}/shortlived.sqlite"


def settings_for(stores: tuple[str, str], folder: Path, outside: Outside, **sections: dict[str, Any]) -> Settings:
    """Settings of a small provider with quick hashing."""
    create_root_secrets(folder / "keys")
    gateway = {"url": f"{outside.url}/gateway"}
    told: dict[str, Any] = {
        "server": {"issuer": "https://login.example", "worker": False},
        "database": {"url": stores[0]},
        "shortlived": {"url": stores[1], "timeout_milliseconds": 2000},
        "secrets": {"directory": str(folder / "keys")},
        "passwords": {"argon2_memory_kib": 19456, "argon2_passes": 2},
        "limits": {"sign_up_seconds": 0, "sends_per_address_hour": 1000, "sends_per_network_hour": 1000},
        "mail": {"host": "127.0.0.1", "port": outside.smtp_port, "security": "none"},
        "sms": gateway,
        "voice": gateway,
    }
    for name, section in sections.items():
        told[name] = {**told.get(name, {}), **section}
    return msgspec.convert(told, Settings)


@dataclass
class Person:
    """One person at one browser."""

    provider: Provider
    browser: FlaskClient
    email: str = ""
    number: str = ""
    language: str = "en"
    sub: str = ""
    answer: TestResponse | None = field(default=None, repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(40), repr=False)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.email = self.email or f"kari.{secrets.token_hex(4)}@example.no"
        self.number = self.number or f"+4794{secrets.randbelow(10**6):06d}"
        self.headers.setdefault("Accept-Language", self.language)

    @property
    def page(self) -> Page:
        """The page in front of the person."""
        assert self.answer is not None
        return Page(self.answer.get_data(as_text=True))

    @property
    def step(self) -> str:
        """The last part of the address: the step they stand at."""
        assert self.answer is not None
        return self.answer.request.path.rpartition("/")[2]

    def goes(self, url: str) -> Person:
        """Open an address, and follow as browsers do, until it leads away from the provider."""
        self.answer = self._follow(self.browser.get(url, base_url="https://login.example", headers=self.headers))
        return self

    def comes_from_portal(self, **parameters: str) -> Person:
        """Press «Logg inn» on the portal."""
        return self.goes(f"/authorize?{urlencode(self.request(**parameters))}")

    def request(self, **parameters: str) -> dict[str, str]:
        """The authorization request of the portal."""
        digest = sha256(self.verifier.encode()).digest()
        told = {
            "client_id": self.provider.portal,
            "response_type": "code",
            "redirect_uri": PORTAL,
            "scope": "openid email phone offline_access",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**told, **parameters}.items() if value}

    def sends(self, do: str | None = None, **fields: str) -> Person:
        """Fill in the form that has this button and press it."""
        form = self.page.form_with(do)
        typed = {name.replace("_", "-"): value for name, value in fields.items()}
        pressed = do or next((value for name, value in form.buttons if name == "do"), "")
        return self.posts(form.action, {**form.fields, **typed, "do": pressed})

    def posts(self, action: str, data: dict[str, str]) -> Person:
        """Send a form, and follow."""
        self.answer = self._follow(
            self.browser.post(action, base_url="https://login.example", data=data, headers=self.headers)
        )
        return self

    def presses(self, link: str) -> Person:
        """Follow a link by its words."""
        return self.goes(self.page.links[link])

    def mailed_code(self) -> str:
        """The code in the newest mail."""
        self.provider.deliver()
        return self.provider.outside.code(self.email)

    def phoned_code(self) -> str:
        """The code in the newest text message or call."""
        self.provider.deliver()
        return self.provider.outside.code(self.number)

    def signs_up(self, *, by: str = "sms", password: str = PASSWORD, **parameters: str) -> Person:
        """The whole of sign-up, from the portal and back to it."""
        self.comes_from_portal(**parameters).presses("Sign up now")
        self.sends(email=self.email).sends("verify", code=self.mailed_code())
        self.sends(new_password=password, confirm_password=password)
        self.sends(by, country="NO", tel=self.number)
        return self.sends("verify", code=self.phoned_code())

    def is_signed_in(self) -> Person:
        """An account with a phone and a live session in this browser, without walking through the pages."""
        parts = self.provider.parts
        with self.provider.app.app_context():
            account = accounts.open_account(
                canonical=self.email,
                typed=self.email,
                locale="en",
                verifier=None,
                phone={"e164": self.number, "takes_sms": "yes"},
            )
            now = clock.now()
            until = now + timedelta(seconds=parts.settings.sessions.absolute)
            proofs = [Proof(method=method, at=now, until=until) for method in ("password", "sms")]
            session_id = sessions.start(parts.store, parts.settings.sessions, account, proofs)
        self.sub = account
        self.browser.set_cookie("__Host-session", session_id, domain="login.example")
        return self

    def signs_in(self, *, by: str = "sms", password: str = PASSWORD, **parameters: str) -> Person:
        """The whole of sign-in, from the portal and back to it."""
        self.comes_from_portal(**parameters)
        self.sends(email=self.email, password=password).sends(by)
        return self.sends("verify", code=self.phoned_code())

    def redirected_to(self) -> dict[str, str]:
        """The parameters the portal was given."""
        assert self.answer is not None
        location = self.answer.headers.get("Location", "")
        assert location.startswith(PORTAL), f"{self.answer.status} {location or self.page.heading}"
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def tokens(self, **parameters: str) -> dict[str, Any]:
        """Let the portal exchange its code."""
        body = {
            "grant_type": "authorization_code",
            "code": self.redirected_to()["code"],
            "redirect_uri": PORTAL,
            "code_verifier": self.verifier,
            **parameters,
        }
        answer = self.provider.app.test_client().post(
            "/token", base_url="https://login.example", data=body, auth=(self.provider.portal, self.provider.secret)
        )
        found: dict[str, Any] = answer.get_json()
        return found

    def _follow(self, answer: TestResponse) -> TestResponse:
        for _ in range(12):
            location = answer.headers.get("Location")
            if answer.status_code not in (302, 303) or location is None:
                return answer
            if urlsplit(location).netloc not in ("", "login.example"):
                return answer
            answer = self.browser.get(location, base_url="https://login.example", headers=self.headers)
        raise AssertionError("the provider redirects in circles")
