"""A store that is down, frozen, read-only, locked or flushed: 503, soon, and never a wrong yes or no (section Q)."""

from __future__ import annotations

import secrets
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest
import redis
from sqlalchemy import text
from werkzeug.test import TestResponse

from idp.app import create_app
from idp.services import accounts
from idp.stores import Unavailable
from idp.stores.durable.db import db, transaction
from tests.conftest import Servers
from tests.durable import make_tables
from tests.members import account_id, member, sessions_of
from tests.people import PASSWORD, PORTAL, Outside, Provider, settings_for
from tests.signing import first_keys

SOON = 3.0
"""Seconds within which the answer must come."""


@dataclass
class Line:
    """A TCP line to a server that can be cut, frozen and mended: the fault is real, the server is spared."""

    target: tuple[str, int]
    state: str = "whole"
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    ends: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port: int = self.listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Drop what is open; refuse what comes."""
        self.state = "cut"
        for end in self.ends:
            with_no_more(end)
        self.ends.clear()

    def freeze(self) -> None:
        """Take everything and answer nothing."""
        self.state = "frozen"

    def mend(self) -> None:
        """Work again; what was frozen is dropped."""
        self.cut()
        self.state = "whole"

    def close(self) -> None:
        self.cut()
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.state == "cut":
                near.close()
                continue
            self.ends.append(near)
            if self.state == "whole":
                far = socket.create_connection(self.target)
                self.ends.append(far)
                for source, sink in ((near, far), (far, near)):
                    Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                while self.state == "frozen":
                    time.sleep(0.02)
                sink.sendall(data)
        except OSError:
            return
        finally:
            with_no_more(sink)


def with_no_more(end: socket.socket) -> None:
    """Close a socket that may be closed already."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@dataclass
class House:
    """A provider whose stores can fail; a portal with a code, tokens and a person before a form, from before."""

    provider: Provider
    lines: dict[str, Line]
    files: dict[str, Path]
    held: list[sqlite3.Connection] = field(default_factory=list)

    def prepare(self) -> None:
        """All that a minute of traffic has at hand."""
        self.kari = member(self.provider)
        self.kari.signs_in()
        self.tokens = self.kari.tokens()
        self.kari.comes_from_portal()
        self.code = self.kari.redirected_to()["code"]
        self.visitor = self.provider.person().comes_from_portal()

    def post(self, path: str, **body: str) -> TestResponse:
        """Ask as the portal."""
        auth = (self.provider.portal, self.provider.secret)
        client = self.provider.app.test_client()
        return client.post(path, base_url="https://login.example", data=body, auth=auth)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.provider.app.test_client().get(path, base_url="https://login.example", headers=headers)

    def requests(self) -> dict[str, Callable[[], TestResponse]]:
        """One of each that section Q names."""
        form = self.visitor.page.form_with("sign-in")
        typed = {**form.fields, "email": self.kari.email, "password": PASSWORD, "do": "sign-in"}
        code = {"code": self.code, "redirect_uri": PORTAL, "code_verifier": self.kari.verifier}
        spent, good = self.tokens["refresh_token"], self.tokens["access_token"]
        asked = f"/authorize?{urlencode(self.kari.request())}"
        return {
            "login": lambda: self.visitor.browser.post(form.action, base_url="https://login.example", data=typed),
            "authorize": lambda: self.kari.browser.get(asked, base_url="https://login.example"),
            "token": lambda: self.post("/token", grant_type="authorization_code", **code),
            "refresh": lambda: self.post("/token", grant_type="refresh_token", refresh_token=spent),
            "introspect": lambda: self.post("/introspect", token=good),
            "userinfo": lambda: self.get("/userinfo", Authorization=f"Bearer {good}"),
            "revoke": lambda: self.post("/revoke", token=good),
        }

    def asks(self, *left_out: str) -> dict[str, TestResponse]:
        """Everything at once, as traffic does; each answer must come soon."""
        answers: dict[str, TestResponse] = {}
        late: dict[str, float] = {}

        def ask(name: str, send: Callable[[], TestResponse]) -> None:
            began = time.monotonic()
            answers[name] = send()
            if time.monotonic() - began > SOON:
                late[name] = time.monotonic() - began

        wanted = {name: send for name, send in self.requests().items() if name not in left_out}
        threads = [Thread(target=ask, args=each, daemon=True) for each in wanted.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert set(answers) == set(wanted)
        assert not late
        return answers

    def hold(self, name: str) -> None:
        """Keep the write lock of a SQLite file, as a backup tool or a stuck process would."""
        connection = sqlite3.connect(self.files[name], isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        self.held.append(connection)

    def let_go(self) -> None:
        """End every fault."""
        while self.held:
            self.held.pop().close()
        for line in self.lines.values():
            line.mend()


@contextmanager
def house(kind: str, folder: Path, servers: Servers, outside: Outside) -> Iterator[House]:
    lines: dict[str, Line] = {}
    files = {"durable": folder / "idp.sqlite", "shortlived": folder / "shortlived.sqlite"}
    stores = (f"sqlite:///{files['durable']}", f"sqlite:///{files['shortlived']}")
    if kind == "scale":
        database_url, redis_url = servers.urls()
        name = f"idp_{secrets.token_hex(6)}"
        with psycopg.connect(f"{database_url}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        ports = {"durable": urlsplit(database_url).port, "shortlived": urlsplit(redis_url).port}
        lines = {which: Line(("127.0.0.1", port or 0)) for which, port in ports.items()}
        host = f"127.0.0.1:{lines['durable'].port}"
        stores = (f"postgresql+psycopg://idp@{host}/{name}", f"redis://127.0.0.1:{lines['shortlived'].port}")
    app = create_app(
        settings_for(stores, folder, outside, database={"timeout": 1}, shortlived={"timeout_milliseconds": 250})
    )
    with app.app_context():
        make_tables(db.engine)
        first_keys()
    provider = Provider(app, app.extensions["idp"], outside)
    registered = provider.register()
    provider.portal, provider.secret = registered.client.client_id, registered.secret or ""
    made = House(provider, lines, files)
    made.prepare()
    yield made
    made.let_go()
    with app.app_context():
        db.engine.dispose()
    for line in lines.values():
        line.close()


@pytest.fixture
def small(tmp_path: Path, servers: Servers, outside: Outside) -> Iterator[House]:
    """SQLite twice."""
    with house("embedded", tmp_path, servers, outside) as made:
        yield made


@pytest.fixture
def large(tmp_path: Path, servers: Servers, outside: Outside) -> Iterator[House]:
    """PostgreSQL and Redis, each behind a line of its own."""
    with house("scale", tmp_path, servers, outside) as made:
        yield made


RIGHT: dict[str, Callable[[TestResponse], bool]] = {
    "login": lambda answer: answer.headers.get("Location", "").endswith("/second-step"),
    "authorize": lambda answer: answer.headers.get("Location", "").startswith(f"{PORTAL}?code="),
    "token": lambda answer: "access_token" in answer.get_json(),
    "refresh": lambda answer: "access_token" in answer.get_json(),
    "introspect": lambda answer: answer.get_json()["active"] is True,
    "userinfo": lambda answer: "sub" in answer.get_json(),
    "revoke": lambda answer: answer.status_code == 200,
}
"""What each is answered with when all is well."""

WRITES = {"login", "token", "refresh", "revoke"}


def expect_503(answers: dict[str, TestResponse], *, of: set[str]) -> None:
    """These hear 503 and when to come again; the others that, or the truth. Nobody hears a wrong no."""
    for name, answer in answers.items():
        if name in of or answer.status_code == 503:
            assert answer.status_code == 503, (name, answer.status, answer.get_data(as_text=True)[:300])
            assert int(answer.headers["Retry-After"]) > 0
        else:
            assert RIGHT[name](answer), (name, answer.status, answer.get_data(as_text=True)[:300])


def expect_recovery(made: House) -> None:
    """Without a restart, what was refused succeeds when it is asked again.

    A code that met the fault may be spent: then it stays so, and the person is sent round again.
    """
    deadline = time.monotonic() + 10
    first = made.asks("revoke", "login", "token")
    while any(answer.status_code == 503 for answer in first.values()) and time.monotonic() < deadline:
        time.sleep(0.1)
        first = made.asks("revoke", "login", "token")
    for name, answer in first.items():
        assert RIGHT[name](answer), (name, answer.status, answer.get_data(as_text=True)[:300])
    made.visitor.goes(made.visitor.answer.request.path)
    assert RIGHT["login"](made.requests()["login"]())
    assert RIGHT["revoke"](made.requests()["revoke"]())
    assert made.requests()["introspect"]().get_json() == {"active": False}


def from_memory(made: House) -> None:
    """Discovery and keys need no store."""
    for path in ("/.well-known/openid-configuration", "/jwks"):
        began = time.monotonic()
        assert made.get(path).status_code == 200
        assert time.monotonic() - began < SOON


@pytest.mark.parametrize("fault", ["cut", "freeze"])
def test_a_database_that_is_away_or_frozen(large: House, fault: str) -> None:
    getattr(large.lines["durable"], fault)()

    expect_503(large.asks(), of=set(RIGHT))
    from_memory(large)

    large.let_go()
    expect_recovery(large)


def test_a_locked_sqlite_database(small: House) -> None:
    small.hold("durable")

    expect_503(small.asks(), of=WRITES)
    from_memory(small)

    small.let_go()
    expect_recovery(small)


def test_a_database_that_only_reads(large: House) -> None:
    """A standby after a fail-over: reads go on, every write is refused."""
    name = large.provider.app.config["SQLALCHEMY_DATABASE_URI"].database

    def only_reads(word: str) -> None:
        with large.provider.app.app_context():
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("SET default_transaction_read_only = off"))
                connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = {word}"))
            db.engine.dispose()

    only_reads("on")
    expect_503(large.asks(), of=WRITES)
    from_memory(large)

    only_reads("off")
    expect_recovery(large)


@pytest.mark.parametrize("fault", ["cut", "freeze"])
def test_a_redis_that_is_away_or_frozen(large: House, fault: str) -> None:
    getattr(large.lines["shortlived"], fault)()

    expect_503(large.asks("revoke"), of={"login", "authorize", "token"})
    from_memory(large)

    large.let_go()
    expect_recovery_after_redis(large)


def test_a_locked_short_lived_store(small: House) -> None:
    small.hold("shortlived")

    expect_503(small.asks("revoke"), of={"login", "authorize"})

    small.let_go()
    expect_recovery_after_redis(small)


def expect_recovery_after_redis(made: House) -> None:
    """As above; the refresh token, which needs no short-lived store, was spent while that was away."""
    made.visitor.goes(made.visitor.answer.request.path)
    assert RIGHT["login"](made.requests()["login"]())
    answers = made.asks("login", "refresh", "token", "revoke")
    assert all(RIGHT[name](answer) for name, answer in answers.items())


def test_a_flushed_short_lived_store_brings_nothing_back(provider: Provider) -> None:
    """Used codes, guesses, revocations and spent refresh tokens live in the database; people sign in again."""
    kari = member(provider)
    kari.signs_in()
    code = kari.redirected_to()["code"]
    tokens = kari.tokens()
    made = House(provider, {}, {})
    exchanged = {"code": code, "redirect_uri": PORTAL, "code_verifier": kari.verifier}
    made.post("/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    thief = provider.person().comes_from_portal()
    for _ in range(6):
        thief.sends(email=kari.email, password="not the right password")
    flush(provider)

    assert made.post("/token", grant_type="authorization_code", **exchanged).get_json()["error"] == "invalid_grant"
    thief.comes_from_portal().sends(email=kari.email, password=PASSWORD)
    assert thief.answer.status_code == 429
    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"
    made.post("/revoke", token=tokens["access_token"])
    flush(provider)
    assert made.post("/introspect", token=tokens["access_token"]).get_json() == {"active": False}


def flush(provider: Provider) -> None:
    url = provider.parts.settings.shortlived.url
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("DELETE FROM records")
        connection.close()
    else:
        with redis.Redis.from_url(url) as client:
            client.flushall()


def test_without_a_trail_nothing_is_done(provider: Provider) -> None:
    """Security changes and tokens roll back with 503 when their record cannot be written."""
    kari = member(provider)
    half = provider.person(email=kari.email, number=kari.number).comes_from_portal()
    half.sends(email=kari.email, password=PASSWORD).sends("sms")
    code = half.phoned_code()
    kari.signs_in()
    made = House(provider, {}, {})
    token = kari.tokens()["refresh_token"]
    rename(provider, "audit_events", "audit_events_gone")

    assert half.sends("verify", code=code).answer.status_code == 503
    assert made.post("/token", grant_type="refresh_token", refresh_token=token).status_code == 503
    with provider.app.app_context(), pytest.raises(Unavailable):
        accounts.lock(account_id(kari))

    rename(provider, "audit_events_gone", "audit_events")
    assert sessions_of(kari) == 1
    assert "access_token" in made.post("/token", grant_type="refresh_token", refresh_token=token).get_json()


def rename(provider: Provider, before: str, after: str) -> None:
    with provider.app.app_context(), transaction() as connection:
        connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_gateway_that_is_down_changes_no_page_and_skips_no_step(provider: Provider, channel: str) -> None:
    """The same page for known and unknown addresses; the phone step stays where it is."""
    provider.outside.fault(channel, "refuse")
    try:
        kari, nobody = member(provider), provider.person()
        for someone in (kari, nobody):
            someone.comes_from_portal().presses("Forgotten your password?").sends(email=someone.email)
            provider.deliver()
            assert (someone.answer.status_code, someone.step) == (200, "email-code")
        tab = provider.person(number=kari.number).comes_from_portal().sends(email=kari.email, password=PASSWORD)
        tab.sends("sms")
        provider.deliver()
        base = tab.answer.request.path.rpartition("/")[0]
        assert tab.step == tab.goes(base).step == "second-step"
        assert tab.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"
    finally:
        provider.outside.fault(channel, "none")
