"""Nothing that is secret is ever written down: in logs, addresses, error pages, the trail or the stores (SR-120).

People live through everything with values that cannot be mistaken; then all that was written is searched.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from sqlalchemy import text

from idp.stores.durable.db import db
from tests.people import Person, Provider

CHOSEN = "kanarifuglen synger 7316"
LATER = "papegøyen tier 9254"
WRONG = "not-the-canary-8841"
ADDRESS = "canary.bird.5177@example.no"
NUMBER = "+4794517739"


class Kept(logging.Handler):
    """Every record of every library, as any formatter could print it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{logging.Formatter().format(record)} {record.args!r} {record.__dict__!r}")


@pytest.fixture
def logs() -> Iterator[Kept]:
    """The root logger and all others, at DEBUG."""
    kept, root = Kept(), logging.getLogger()
    before = {logger: logger.level for logger in (root, *map(logging.getLogger, logging.root.manager.loggerDict))}
    for logger in before:
        logger.setLevel(logging.DEBUG)
    root.addHandler(kept)
    yield kept
    root.removeHandler(kept)
    for logger, level in before.items():
        logger.setLevel(level)


class Witness:
    """Notes every address the browser was sent to, and every page that is no form with the person's own words."""

    def __init__(self, person: Person) -> None:
        self.locations: list[str] = []
        self.errors: list[str] = []
        follow = person.browser.open

        def opened(*args: Any, **kwargs: Any) -> Any:
            answer = follow(*args, **kwargs)
            self.locations += [answer.request.url, answer.headers.get("Location", "")]
            if answer.status_code >= 400:
                self.errors.append(answer.get_data(as_text=True))
            return answer

        person.browser.open = opened  # type: ignore[method-assign]


def test_a_canary_is_found_nowhere(provider: Provider, logs: Kept, capfd: pytest.CaptureFixture[str]) -> None:
    kari = provider.person(email=ADDRESS, number=NUMBER)
    witness = Witness(kari)
    secrets = {"password": [CHOSEN, LATER, WRONG], "code": [], "token": []}
    live_through(provider, kari, secrets)
    personal = [ADDRESS, NUMBER, NUMBER.removeprefix("+47")]

    written = "\n".join([*logs.lines, *capfd.readouterr()])
    everything = [*secrets["password"], *secrets["token"], *personal]
    assert [(value, where(value, written)) for value in found(everything, written.encode())] == []
    assert [code for code in secrets["code"] if code in words(written)] == []
    assert found([*secrets["password"], *secrets["token"], *personal], "\n".join(witness.locations).encode()) == []
    assert found([*secrets["password"], *secrets["token"], NUMBER], "\n".join(witness.errors).encode()) == []
    for place, raw in stored(provider).items():
        assert found(everything, raw) == [], place
        assert [code for code in secrets["code"] if code in words(raw.decode("latin-1"))] == [], place


def where(value: str, written: str) -> str:
    """The line that gave it away."""
    return next((line[:400] for line in written.splitlines() if value in line), "encoded")


def words(told: str) -> set[str]:
    """Runs of digits as they stand; six of them inside a longer run are no code."""
    return {"".join(part) for part in _runs(told)}


def _runs(told: str) -> Iterator[list[str]]:
    run: list[str] = []
    for sign in told:
        if sign.isdigit() and sign.isascii():
            run.append(sign)
        elif run:
            yield run
            run = []
    if run:
        yield run


def found(values: list[str], raw: bytes) -> list[str]:
    """Which of these are there: plain, as JSON, in base64 or in hex."""
    low = raw.lower()
    shapes = {
        value: (
            value.encode(),
            json.dumps(value)[1:-1].encode(),
            value.encode("utf-16-le"),
            value.encode().hex().encode(),
        )
        for value in values
        if value
    }
    encoded = {value: base64.b64encode(value.encode())[: len(value) * 4 // 3 // 4 * 4] for value in shapes}
    return [
        value
        for value, forms in shapes.items()
        if any(form.lower() in low for form in forms) or (len(encoded[value]) >= 12 and encoded[value] in raw)
    ]


def live_through(provider: Provider, kari: Person, secrets: dict[str, list[str]]) -> None:
    """Sign up, sign in, go wrong, reset, get tokens, renew and revoke them, run into errors."""

    def code(of: str) -> str:
        made = kari.mailed_code() if of == "mail" else kari.phoned_code()
        secrets["code"].append(made)
        return made

    kari.comes_from_portal().presses("Sign up now").sends(email=ADDRESS)
    kari.sends("verify", code="000000").sends("verify", code=code("mail"))
    kari.sends(new_password=CHOSEN, confirm_password=WRONG).sends(new_password=CHOSEN, confirm_password=CHOSEN)
    kari.sends("sms", country="NO", tel="12").sends("sms", country="NO", tel=NUMBER)
    kari.sends("verify", code="111111").sends("verify", code=code("phone"))
    tokens = exchange(kari, secrets)
    machine = provider.app.test_client()
    ours: dict[str, Any] = {"base_url": "https://login.example", "auth": (provider.portal, provider.secret)}
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    renewed = machine.post("/token", data=refresh, **ours).get_json()
    secrets["token"] += [renewed["access_token"], renewed["refresh_token"], provider.secret]
    machine.post("/token", data={**refresh, "grant_type": WRONG}, **ours)
    machine.post("/introspect", data={"token": renewed["access_token"]}, **ours)
    machine.post("/token", data=refresh, base_url="https://login.example", auth=(provider.portal, WRONG))
    bearer = {"Authorization": f"Bearer {renewed['access_token']}"}
    machine.get("/userinfo", base_url="https://login.example", headers=bearer)
    machine.post("/revoke", data={"token": renewed["access_token"]}, **ours)

    kari.comes_from_portal(prompt="login").sends(password=WRONG).sends(password=CHOSEN).sends("voice")
    kari.sends("verify", code=code("phone"))
    exchange(kari, secrets)
    reset = Person(provider, kari.browser, email=ADDRESS, number=NUMBER).comes_from_portal(prompt="login")
    reset.goes("/".join(reset.answer.request.path.split("/")[:3]) + "/reset").sends(email=ADDRESS)
    reset.sends("verify", code=code("mail")).sends("sms").sends("verify", code=code("phone"))
    reset.sends(new_password=LATER, confirm_password=LATER)
    exchange(reset, secrets)
    break_things(provider, kari)
    secrets["token"] += [cookie.value for cookie in kari.browser._cookies.values() if "session" in cookie.key]


def exchange(person: Person, secrets: dict[str, list[str]]) -> dict[str, Any]:
    tokens = person.tokens()
    secrets["token"] += [tokens["access_token"], tokens["id_token"], tokens["refresh_token"], person.verifier]
    return tokens


def break_things(provider: Provider, kari: Person) -> None:
    """Errors of every kind, with what the person had typed at hand: a missing table, a page that is not there."""
    kari.comes_from_portal(prompt="login")
    form = kari.page.form_with("sign-in")
    typed = {**form.fields, "email": ADDRESS, "password": LATER, "do": "sign-in"}
    with provider.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE passwords RENAME TO passwords_gone"))
    kari.posts(form.action, typed)
    assert kari.answer.status_code in (500, 503)
    with provider.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE passwords_gone RENAME TO passwords"))
    kari.goes("/nothing-here").goes("/authorize?client_id=nobody")
    kari.posts(form.action, {**typed, "email": "\x00"})
    provider.deliver()


def stored(provider: Provider) -> dict[str, bytes]:
    """All that lies in the stores, raw."""
    shortlived = provider.parts.settings.shortlived.url
    with provider.app.app_context():
        if shortlived.startswith("sqlite"):
            db.engine.dispose()
            files = [Path(shortlived.removeprefix("sqlite:///")), Path(str(db.engine.url.database))]
            return {file.name: file.read_bytes() for known in files for file in known.parent.glob(f"{known.name}*")}
        url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    raw = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
                copied = b"".join(bytes(part) for part in copy)
            raw[table] = copied + b"".join(_bytes_of(copied))
    with redis.Redis.from_url(shortlived) as client:
        raw["redis"] = b"\n".join(part for key in client.scan_iter() for part in (key, client.get(key) or b""))
    return raw


def _bytes_of(copied: bytes) -> Iterator[bytes]:
    """Bytea columns as the bytes they are."""
    for part in copied.replace(b"\n", b"\t").split(b"\t"):
        if part.startswith(b"\\\\x"):
            yield bytes.fromhex(part[3:].decode()) + b"\n"
