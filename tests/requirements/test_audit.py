"""The audit trail: complete, append-only, chained, and free of what must not be logged (SR-119 to SR-121, SR-126)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from idp import clock, correlation
from idp.cli import audit as command
from idp.correlation import Correlation
from idp.services import audit as trail
from idp.stores import Unavailable
from idp.stores.durable import audit
from idp.stores.durable.audit_seals import Head
from idp.stores.durable.db import transaction
from tests.durable import durable

__all__ = ["durable"]

KARI, OLA = "0aBcD3f_GhIjKlMnOpQrSt", "9zYxW3v_UtSrQpOnMlKjIh"


@pytest.fixture
def app(durable: Flask) -> Iterator[Flask]:
    yield durable
    clock.use(None)


def tamper(statement: str) -> None:
    """Do what somebody can who owns the database: switch the guards off, then change it."""
    with transaction() as connection:
        if connection.dialect.name == "postgresql":
            for table in ("audit_events", "audit_seals"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        else:
            for row in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {row.name}"))
        assert connection.execute(text(statement)).rowcount > 0


def three_events() -> None:
    for number in range(3):
        audit.record("client.registered", client_id=f"portal-{number}")
    assert trail.verify().faults == ()


def idp(*arguments: str) -> Result:
    return CliRunner().invoke(command.audit, arguments)


def test_an_event_says_who_did_what_when_and_from_where(app: Flask) -> None:  # SR-119
    instant = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
    clock.use(lambda: instant)
    with correlation.during(Correlation(reference="7K3F-92QD", network="192.0.2.0/24")):
        audit.record("sign-in.failed", account_id=KARI, journey="J1", outcome="failure", details={"misses": 3})
    (event,) = audit.read()
    assert (event.at, event.event, event.outcome) == (instant, "sign-in.failed", "failure")
    assert (event.journey, event.network, event.reference) == ("J1", "192.0.2.0/24", "7K3F-92QD")
    assert event.details == {"misses": 3}
    assert event.account == audit.pseudonym_of(KARI)


def test_an_account_has_one_pseudonym_and_cutting_the_link_leaves_nobody(app: Flask) -> None:  # SR-126
    for account in (KARI, OLA, KARI):
        audit.record("session.started", account_id=account)
    first, other, again = (event.account for event in audit.read())
    assert first == again != other
    assert KARI not in str(audit.read())
    audit.cut_link(KARI)
    assert audit.pseudonym_of(KARI) is None
    assert [event.account for event in audit.read()] == [first, other, first]
    assert trail.verify().faults == ()
    audit.record("session.started", account_id=KARI)
    assert audit.read()[-1].account not in (first, other)


def test_one_pseudonym_also_when_two_first_events_race(app: Flask) -> None:
    barrier = Barrier(8)

    def record() -> None:
        with app.app_context():
            barrier.wait()
            audit.record("session.started", account_id=KARI)

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(record) for _ in range(8)]:
            done.result()
    assert len({event.account for event in audit.read()}) == 1


def test_nothing_is_done_without_its_record_and_nothing_recorded_that_was_not_done(app: Flask) -> None:
    def fails() -> None:
        with transaction():
            audit.record("client.removed", client_id="portal")
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    assert audit.read() == []


def test_an_act_whose_record_cannot_be_written_does_not_happen(app: Flask) -> None:  # section Q
    with transaction() as connection:
        connection.execute(text("ALTER TABLE audit_events RENAME TO elsewhere"))

    def act() -> None:
        with transaction() as connection:
            connection.execute(text("INSERT INTO audit_pseudonyms (account_id, pseudonym) VALUES ('kari', 'x')"))
            audit.record("client.registered", client_id="portal")

    with pytest.raises((Unavailable, DatabaseError)):
        act()
    with transaction() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_pseudonyms")).scalar() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET outcome = 'success'",
        "DELETE FROM audit_events",
        "UPDATE audit_seals SET number = number + 7",
        "DELETE FROM audit_seals",
    ],
)
def test_the_database_itself_refuses_to_change_the_trail(app: Flask, statement: str) -> None:  # SR-121
    three_events()
    with pytest.raises((Unavailable, DatabaseError), match="append-only"), transaction() as connection:
        connection.execute(text(statement))
    assert len(audit.read()) == 3


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit_events SET client = 'other' WHERE client = 'portal-1'", "changed"),
        ("UPDATE audit_events SET at = '2020-01-01 00:00:00' WHERE client = 'portal-1'", "changed"),
        ("UPDATE audit_events SET details = '[]' WHERE client = 'portal-2'", "changed"),
        ("DELETE FROM audit_events WHERE client = 'portal-1'", "is gone"),
        ("DELETE FROM audit_seals WHERE number = 2", "is gone"),
        ("DELETE FROM audit_seals WHERE number = 1", "not where the chain began"),
        ("UPDATE audit_seals SET event_id = event_id + 100 WHERE number = 2", "is gone"),
        ("UPDATE audit_seals SET previous = seal WHERE number = 3", "does not follow"),
        ("UPDATE audit_seals SET key_id = 'gone' WHERE number = 3", "whose key is gone"),
    ],
)
def test_what_the_database_owner_changes_or_takes_out_is_found(app: Flask, statement: str, words: str) -> None:
    three_events()
    tamper(statement)
    found = trail.verify().faults
    assert any(words in fault.words for fault in found), found


def test_what_the_database_owner_slips_in_is_found(app: Flask) -> None:  # SR-121
    three_events()
    tamper(
        "INSERT INTO audit_events (uid, client, at, event, outcome, details, key_id, mark) "
        "SELECT 'forged', 'forged', at, event, outcome, details, key_id, mark "
        "FROM audit_events WHERE client = 'portal-1'"
    )
    (fault,) = trail.verify().faults
    assert "not written by us" in fault.words


def test_a_pair_exchanged_within_the_chain_is_found(app: Flask) -> None:
    three_events()
    tamper("UPDATE audit_seals SET event_id = event_id + 1000 WHERE number IN (1, 2)")
    tamper(
        "UPDATE audit_seals SET event_id = CASE number WHEN 1 THEN event_id - 999 ELSE event_id - 1001 END "
        "WHERE number IN (1, 2)"
    )
    assert trail.verify().faults


def test_an_end_that_was_cut_off_shows_against_a_head_noted_down(app: Flask) -> None:
    three_events()
    noted = trail.verify().head
    assert noted is not None
    assert trail.verify(noted).faults == ()
    tamper("DELETE FROM audit_seals WHERE number = 3")
    tamper("DELETE FROM audit_events WHERE client = 'portal-2'")
    assert trail.verify().faults == ()
    assert trail.verify(noted).faults
    audit.record("client.registered", client_id="portal-2")
    assert any("noted down" in fault.words for fault in trail.verify(noted).faults)
    assert trail.verify(Head(99, "0" * 64)).faults


def test_any_number_of_sealers_make_one_chain(app: Flask) -> None:
    for number in range(40):
        audit.record("key.added", details={"number": number})
    barrier = Barrier(6)

    def seal() -> int:
        with app.app_context():
            barrier.wait()
            return trail.seal_pending()

    with ThreadPoolExecutor(6) as threads:
        assert sum(done.result() for done in [threads.submit(seal) for _ in range(6)]) == 40
    found = trail.verify()
    assert (found.sealed, found.faults) == (40, ())


def test_events_go_after_their_time_and_the_chain_says_so(app: Flask) -> None:  # SR-125
    long_ago = datetime.now(UTC) - timedelta(days=500)
    clock.use(lambda: long_ago)
    audit.record("key.added")
    audit.record("key.promoted")
    assert trail.verify().faults == ()
    clock.use(None)
    audit.record("key.retired")
    assert trail.verify().faults == ()
    assert trail.forget_old() == 2
    assert trail.forget_old() == 0
    assert [event.event for event in audit.read()] == ["key.retired", "audit.forgotten"]
    found = trail.verify()
    assert (found.sealed, found.faults) == (2, ())


def test_a_line_cannot_be_forged_by_what_stands_in_an_event(app: Flask) -> None:  # SR-121
    forged = 'x"\n2026-01-01T00:00:00Z  key.added  success\x1b[2J\0\u2028'
    audit.record("sign-in.failed", reason=forged, client_id=forged, details={"words": forged, forged: 1})
    plain, as_json = idp("tail"), idp("tail", "--json")
    assert plain.exit_code == as_json.exit_code == 0
    for output in (plain.stdout, as_json.stdout):
        assert len(output.splitlines()) == 1
        assert output.rstrip("\n").isprintable()
    assert json.loads(as_json.stdout)["details"][forged] == 1


def test_verify_says_whole_or_not_by_exit_code(app: Flask) -> None:
    three_events()
    whole = idp("verify")
    assert whole.exit_code == 0
    assert "3 events, whole." in whole.output
    head = whole.output.rpartition(" ")[2].strip()
    assert idp("verify", "--expect", head).exit_code == 0
    tamper("UPDATE audit_events SET outcome = 'failure' WHERE client = 'portal-1'")
    assert idp("verify").exit_code == 1
    told = idp("verify", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["faults"][0]["words"].startswith("was changed")
    assert idp("verify", "--expect", "yesterday").exit_code == 2


def test_tail_tells_the_newest_of_an_account_and_since_when(app: Flask) -> None:
    past = datetime.now(UTC) - timedelta(hours=5)
    clock.use(lambda: past)
    audit.record("session.started", account_id=KARI)
    clock.use(None)
    audit.record("session.started", account_id=OLA)
    assert idp("tail").stdout.count("session.started") == 2
    assert idp("tail", "-n", "1").stdout.count("session.started") == 1
    assert idp("tail", "--since", "2h").stdout.count("session.started") == 1
    assert idp("tail", "--since", past.isoformat()).stdout.count("session.started") == 2
    of_kari = idp("tail", "--account", KARI, "--json").stdout.splitlines()
    assert [json.loads(line)["event"] for line in of_kari] == ["session.started"]
    assert audit.read()[-1].event == "audit.read"  # SR-127: who looked a person up is recorded
    assert idp("tail", "--account", "nobody").exit_code == 1
    assert idp("tail", "--since", "yesterday").exit_code == 2


def test_follow_tells_every_new_event_once(app: Flask) -> None:
    audit.record("key.added")
    looks: list[int] = []

    def between() -> None:
        looks.append(1)
        audit.record("key.promoted", details={"look": len(looks)})

    def three_times() -> bool:
        return len(looks) < 3

    going_on: Callable[[], bool] = three_times
    told = list(trail.follow(after=trail.newest_number(), wait=between, going_on=going_on))
    assert [event.details["look"] for event in told] == [1, 2]
