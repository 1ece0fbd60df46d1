"""What is kept has an end: each period, carried out by the worker with a moved clock; nothing younger goes (SR-125)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from idp import clock as present
from idp.app import worker_of
from idp.correlation import Correlation, during
from idp.delivery import outbox as posted
from idp.delivery.outbox import Message
from idp.services import audit, throttling
from idp.stores.durable import audit as trail
from idp.stores.durable import (
    audit_networks,
    codes,
    eid_transactions,
    grants,
    guesses,
    known_browsers,
    outbox,
    sessions,
)
from idp.stores.durable.db import db
from idp.stores.durable.eid_transactions import Begun
from idp.stores.durable.guesses import Rule
from tests.conftest import Clock
from tests.members import account_id, member
from tests.people import Person, Provider

HOUR, DAY = 3600, 86400
on_one_pair = pytest.mark.parametrize("stores", ["embedded"], indirect=True)


@pytest.fixture
def kari(provider: Provider) -> Person:
    person = member(provider)
    person.signs_in(scope="openid email")
    person.tokens()
    return person


def a_code(_: Person) -> None:
    codes.issue(codes.open_challenge("a binding", now=present.now()), digits=6, expires_at=present.now())


def a_message(_: Person) -> None:
    message = Message(kind="T-1", channel="sms", to="+4791234567", locale="nb", values={"code": "1", "minutes": "1"})
    posted.withdraw(posted.post(message, deliver_by=present.now()))


def an_attempt(person: Person) -> None:
    now = present.now()
    eid_transactions.begin(
        Begun(
            id="attempt", state="state", browser="b", journey_id="j", account_id=account_of(person), client_id="c",
            purpose="link", eid="bank", flow="redirect", wanted_level="high", created_at=now, expires_at=now,
        )
    )  # fmt: skip


def a_counter(_: Person) -> None:
    guesses.count("somebody", "sms", Rule(), now=present.now())


def a_network(_: Person) -> None:
    with during(Correlation(network="203.0.113.0/24")):
        trail.record("authorization.refused")


def nothing(_: Person) -> None:
    """It is there already: the fixture signed in."""


PERIODS: dict[str, tuple[Callable[[Person], None], int, object]] = {
    "codes": (a_code, 24 * HOUR, codes.challenges),
    "the codes themselves": (a_code, 24 * HOUR, codes.codes),
    "messages": (a_message, 24 * HOUR, outbox.messages),
    "sessions": (nothing, 12 * HOUR + 30 * DAY, sessions.sessions),
    "grants and their tokens": (nothing, 12 * HOUR + 30 * DAY, grants.grants),
    "attempts with an eID": (an_attempt, 30 * DAY, eid_transactions.eid_transactions),
    "counters": (a_counter, 30 * DAY, guesses.guesses),
    "known browsers": (nothing, 400 * DAY, known_browsers.known_browsers),
    "networks": (a_network, 90 * DAY, audit_networks.audit_networks),
}


@on_one_pair
@pytest.mark.parametrize("what", PERIODS)
def test_it_goes_when_its_time_is_over_and_not_before(kari: Person, clock: Clock, what: str) -> None:
    make, seconds, table = PERIODS[what]
    with kari.provider.app.app_context():
        for emptied in (codes.codes, codes.challenges, outbox.messages, guesses.guesses, audit_networks.audit_networks):
            with db.engine.begin() as connection:
                connection.execute(emptied.delete())
        make(kari)
        assert rows(table) > 0
        clock.advance(seconds - HOUR)
        worker_of(kari.provider.app).do_chores()
        assert rows(table) > 0
        clock.advance(2 * HOUR)
        worker_of(kari.provider.app).do_chores()
        assert rows(table) == 0


@on_one_pair
def test_an_abandoned_sign_up_is_gone_after_a_day(provider: Provider, clock: Clock) -> None:
    kari = provider.person().comes_from_portal().presses("Sign up now")
    kari.sends(email=kari.email)
    kari.mailed_code()
    where = str(kari.answer.request.path)
    clock.advance(23 * HOUR)
    assert kari.goes(where).page.heading == "Check your email"
    clock.advance(25 * HOUR)
    with provider.app.app_context():
        worker_of(provider.app).do_chores()
        assert rows(codes.challenges) == 0
    assert kari.goes(where).page.heading != "Check your email"
    with sqlite3.connect(provider.parts.settings.shortlived.url.removeprefix("sqlite:///")) as connection:
        assert not connection.execute("select key from records where key = ?", (journey_of(where),)).fetchall()


@on_one_pair
def test_a_trail_whose_networks_are_forgotten_is_whole_and_one_with_others_is_not(provider: Provider) -> None:
    """SR-121: the event holds what its network was bound to."""
    with provider.app.app_context():
        with during(Correlation(network="203.0.113.0/24")):
            trail.record("authorization.refused")
            trail.record("authorization.refused")
        assert audit.newest(1)[0].network == "203.0.113.0/24"
        assert not audit.verify().faults
        with db.engine.begin() as connection:
            table = audit_networks.audit_networks
            connection.execute(table.update().values(network="198.51.100.0/24"))
        assert len(audit.verify().faults) == 2
        audit_networks.forget(before=present.now() + timedelta(days=1))
        assert not audit.verify().faults
        assert audit.newest(1)[0].network is None


@on_one_pair
def test_counters_that_matter_stay(kari: Person, clock: Clock) -> None:
    """SR-17."""
    with kari.provider.app.app_context():
        for _ in range(throttling.FEW + 1):
            guesses.count("somebody", "sms", Rule(), now=present.now())
        clock.advance(31 * DAY)
        worker_of(kari.provider.app).do_chores()
        assert guesses.in_a_row("somebody", "sms") == throttling.FEW + 1


def rows(table: object) -> int:
    with db.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def journey_of(path: str) -> str:
    return f"journey:{path.split('/')[2]}"


def account_of(person: Person) -> str:
    return account_id(person)
