"""Export and erasure (SR-126): all of a person's own data and no other; and in the end nothing of it anywhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import text

from idp import clock as present
from idp.app import worker_of
from idp.services import accounts, audit, erasure, remembered_devices
from idp.services.sessions import devices
from idp.stores.durable import identities, sessions
from idp.stores.durable.db import db
from idp.stores.durable.identities import Identity
from tests.administration import Shell
from tests.conftest import Clock
from tests.members import account_id, member, sessions_of
from tests.people import PASSWORD, Person, Provider

on_one_pair = pytest.mark.parametrize("stores", ["embedded"], indirect=True)
DAY, WEEK = 86400, 7 * 86400
NUMBER = "+4794517739"
WORDS = ("canary", "Canary", "17034512", "Gulnebb")


def walks_in(person: Person) -> Person:
    person.goes("/account")
    if person.step != "account":
        person.sends(email=person.email, password=PASSWORD).sends("sms")
        person.sends("verify", code=person.phoned_code())
    return person


@pytest.fixture
def kari(provider: Provider) -> Person:
    """Somebody whose every datum can be told from everybody else's, but for the phone she shares."""
    return lives(provider, "canary.bird.5177@example.no", "17034512345", "Gulnebb")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def ola(provider: Provider) -> Person:
    """Somebody of the same household: the same phone, the same client, the same device."""
    return lives(provider, "ola.5178@example.no", "22039812345", "Rødnebb")


def lives(provider: Provider, email: str, number: str, name: str) -> Person:
    person = member(provider, email=email, number=NUMBER)
    person.signs_in()
    person.tokens()
    person.sub = account_id(person)
    who = Identity(country="NO", number=number, given_name=name, family_name="Fugl", birthdate=None)
    with provider.app.app_context():
        identities.link(person.sub, who, now=present.now())
    return walks_in(person)


def downloads(person: Person, kind: str = "json") -> str:
    answer = person.browser.get(
        f"/account/data/my-data.{kind}", base_url="https://login.example", headers=person.headers
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="my-data.{kind}"'
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_data(as_text=True)


def asks_to_leave(person: Person) -> Person:
    return person.goes("/account/data/erase").sends("erase")


def does_chores(provider: Provider) -> None:
    with provider.app.app_context():
        worker_of(provider.app).do_chores()


# --- export ------------------------------------------------------------------------------------------------------


@on_one_pair
def test_the_file_has_all_of_ones_own_and_nothing_of_anybody_elses(kari: Person, ola: Person) -> None:
    found, others = downloads(kari), json.loads(downloads(ola))
    data = json.loads(found)

    assert data["format"] == "alumni-id-export/1"
    assert data["account"]["email"] == kari.email
    assert data["account"]["id"] == kari.sub
    assert data["sign_in"]["phone_number"] == NUMBER == others["sign_in"]["phone_number"]
    assert data["identity"]["national_number"] == "17034512345"
    assert data["access"][0]["service"] == "Alumni"
    assert {"email", "openid"} <= set(data["access"][0]["received"])
    assert len(data["sign_ins"]) == 1
    assert {"account.opened", "session.started", "tokens.issued"} <= {one["event"] for one in data["activity"]}
    for of_ola in (ola.email, ola.sub, "22039812345", "Rødnebb"):
        assert of_ola not in found
    assert not [word for word in WORDS if word in json.dumps(others)]


@on_one_pair
def test_no_secret_is_in_the_file(kari: Person, provider: Provider) -> None:
    with provider.app.app_context(), db.engine.connect() as connection:
        verifier = connection.execute(text("select verifier from passwords")).scalar_one()
        (session,) = (row.sid for row in sessions.of_account(kari.sub))
    found = downloads(kari) + downloads(kari, "html")

    assert verifier not in found
    assert session not in found
    assert PASSWORD not in found


@on_one_pair
def test_the_page_to_read_has_what_the_file_has(kari: Person) -> None:
    page = downloads(kari, "html")

    for value in (kari.email, NUMBER, "17034512345", "Gulnebb", "Alumni", "Where you have signed in"):
        assert value in page
    assert "<script" not in page
    assert "http" not in page


@on_one_pair
def test_after_ten_minutes_the_owner_is_proved_anew_before_any_file(kari: Person, clock: Clock) -> None:
    clock.advance(11 * 60)
    kari.goes("/account/data/my-data.json")
    assert kari.page.heading == "Confirm that it is you"

    kari.sends("sign-in", password=PASSWORD).sends("sms")
    kari.sends("verify", code=kari.phoned_code())

    assert kari.page.heading == "My information"
    assert "You can download now." in kari.page.text
    assert kari.email in downloads(kari)


@on_one_pair
def test_nobody_gets_a_file_without_signing_in(provider: Provider) -> None:
    assert provider.person().goes("/account/data/my-data.json").page.heading == "Sign in"


@on_one_pair
def test_its_owner_reads_that_a_file_was_made(kari: Person) -> None:
    downloads(kari)

    assert "A file with your information was made." in kari.goes("/account/activity").page.text


# --- asking, and changing one's mind -----------------------------------------------------------------------------


@on_one_pair
def test_the_account_is_closed_at_once_and_its_owner_told_the_day(kari: Person, provider: Provider) -> None:
    """SR-88: sessions and tokens end; M-12."""
    tokens = kari.comes_from_portal().tokens()

    asks_to_leave(kari)

    assert kari.page.heading == "Your account will be deleted"
    assert kari.goes("/account").page.heading == "Sign in"
    assert provider.refresh(tokens["refresh_token"]).status_code == 400
    assert sessions_of(kari) == 0
    provider.deliver()
    mail = provider.outside.messages(kari.email)[-1]
    assert mail["subject"].startswith("Your Alumni account will be deleted on ")
    assert "choose Undo" in mail["text"]


@on_one_pair
def test_after_ten_minutes_it_takes_both_factors(kari: Person, clock: Clock) -> None:
    """SR-40."""
    clock.advance(11 * 60)
    asks_to_leave(kari)
    assert kari.page.heading == "Confirm that it is you"
    assert sessions_of(kari) == 1

    kari.sends("sign-in", password=PASSWORD).sends("sms")
    kari.sends("verify", code=kari.phoned_code())

    assert kari.page.heading == "Your account will be deleted"
    assert sessions_of(kari) == 0


@on_one_pair
def test_whoever_signs_in_meanwhile_may_undo_and_nothing_else(kari: Person, clock: Clock) -> None:
    asks_to_leave(kari)
    clock.advance(WEEK - 600)

    kari.signs_in()
    assert kari.page.heading == "Your account will be deleted"
    assert sessions_of(kari) == 0
    assert kari.goes("/account").page.heading != "Security"
    kari.comes_from_portal()
    kari.sends(email=kari.email, password=PASSWORD).sends("sms").sends("verify", code=kari.phoned_code())

    kari.sends("undo")

    assert "code" in kari.redirected_to()
    assert kari.goes("/account").page.heading == "Security"
    clock.advance(WEEK)
    does_chores(kari.provider)
    assert walks_in(kari).page.heading == "Security"


@on_one_pair
def test_an_administrators_lock_and_unlock_do_not_keep_the_account(kari: Person, provider: Provider) -> None:
    asks_to_leave(kari)
    with provider.app.app_context():
        accounts.lock(kari.sub)
        assert erasure.take_back(kari.sub) is False
        accounts.unlock(kari.sub)
        assert erasure.due_at(kari.sub) is not None
        assert erasure.take_back(kari.sub) is True
        assert erasure.take_back(kari.sub) is False


@on_one_pair
def test_when_its_time_has_come_nobody_takes_it_back(kari: Person, provider: Provider, clock: Clock) -> None:
    asks_to_leave(kari)
    clock.advance(WEEK + 1)
    with provider.app.app_context():
        assert erasure.take_back(kari.sub) is False


# --- carried out -------------------------------------------------------------------------------------------------


def test_nothing_of_the_person_is_left_anywhere_and_nobody_else_loses_anything(
    kari: Person, ola: Person, stores: tuple[str, str], clock: Clock, found: Found
) -> None:
    """SR-126: every table and column, every short-lived key and value, every file, every log line."""
    provider, logs = kari.provider, found.logs
    before = relevant(json.loads(downloads(ola)))
    asks_to_leave(kari)
    provider.deliver()
    clock.advance(WEEK - 3600)
    kari.signs_in()  # at the door until the end
    clock.advance(7200)

    does_chores(provider)
    provider.deliver()
    clock.advance(25 * 3600)  # what a browser had begun is forgotten within a day
    does_chores(provider)

    sought = [kari.email, kari.sub, *WORDS]
    assert not [one for one in sought if one in everything(provider, stores)]
    assert not [one for one in sought if any(one.encode() in path.read_bytes() for path in files(found.folder))]
    assert not [one for one in (kari.email, *WORDS) if any(one in line for line in logs.lines)]
    assert relevant(json.loads(downloads(walks_in(ola)))) == before
    with provider.app.app_context():
        assert not audit.verify().faults
    assert "is deleted" in provider.outside.messages(kari.email)[-1]["subject"]


@on_one_pair
def test_the_address_is_free_again_and_the_id_is_not(kari: Person, provider: Provider, clock: Clock) -> None:
    asks_to_leave(kari)
    clock.advance(WEEK + 1)
    does_chores(provider)

    again = member(provider, email=kari.email, number=NUMBER)

    assert account_id(again) != kari.sub
    assert "session.started" not in {one["event"] for one in json.loads(downloads(walks_in(again)))["activity"][1:]}


@on_one_pair
def test_it_is_erased_at_its_time_and_not_before(kari: Person, provider: Provider, clock: Clock) -> None:
    asks_to_leave(kari)
    clock.advance(WEEK - 60)
    does_chores(provider)
    with provider.app.app_context():
        assert accounts.by_id(kari.sub)
    clock.advance(120)
    does_chores(provider)
    with provider.app.app_context():
        assert accounts.by_id(kari.sub) is None
        assert not devices(provider.parts.store, kari.sub)
        assert not remembered_devices.of_account(kari.sub)


@on_one_pair
def test_an_administrator_exports_erases_and_keeps_for_the_person(kari: Person, shell: Shell) -> None:
    """By `idp person`, with the same acts behind it."""
    settings = kari.provider.parts.settings
    shell.path.write_text(
        f'[server]\nissuer = "https://login.example"\n[database]\nurl = "{settings.database.url}"\n'
        f'[shortlived]\nurl = "{settings.shortlived.url}"\n[secrets]\ndirectory = "{settings.secrets.directory}"\n'
    )
    assert shell.json("person", "export", kari.sub)["account"]["email"] == kari.email
    assert shell.json("person", "erase", kari.sub) == {"id": kari.sub, "status": "leaving"}
    assert shell.json("person", "show", kari.sub)["status"] == "leaving"
    assert shell.json("person", "keep", kari.sub) == {"id": kari.sub, "status": "active"}
    assert shell.run("person", "keep", kari.sub).exit_code == 1
    assert shell.json("person", "erase", kari.sub, "--now") == {"id": kari.sub, "status": "erased"}
    assert shell.run("person", "export", kari.sub).exit_code == 1


# --- looking everywhere ------------------------------------------------------------------------------------------


class Kept(logging.Handler):
    """Every line that any library writes."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.args!r}")


@dataclass
class Found:
    """Where to look besides the stores: what was logged, and the folder of the files."""

    logs: Kept
    folder: Path


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Found]:
    kept = Kept()
    logging.getLogger().addHandler(kept)
    yield Found(kept, tmp_path)
    logging.getLogger().removeHandler(kept)


def relevant(data: dict[str, Any]) -> dict[str, Any]:
    """What does not change by looking at it."""
    return {name: data[name] for name in ("account", "sign_in", "identity", "services")}


def everything(provider: Provider, stores: tuple[str, str]) -> str:
    """Every value of every column, and every short-lived record, as text."""
    found = []
    with provider.app.app_context(), db.engine.connect() as connection:
        for table in db.metadata.sorted_tables:
            found += [str(value) for row in connection.execute(table.select()) for value in row]
    if stores[1].startswith("redis"):
        with redis.Redis.from_url(stores[1]) as client:
            for key in client.scan_iter():
                if 0 < client.ttl(key) <= DAY:  # Redis has a clock of its own: what is left goes by itself within a day
                    continue
                value = client.get(key) if client.type(key) == b"string" else b""
                found += [key.decode(errors="replace"), (value or b"").decode("latin-1")]
    return "\n".join(found)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and ".sqlite" in path.name]
