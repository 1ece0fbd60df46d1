"""Workers: woken, stopped, many at once, killed. Nothing twice while they live, nothing lost when they die."""

from __future__ import annotations

import signal
import threading
import time
from datetime import timedelta

import msgspec
import pytest

from idp import clock as idp_clock
from idp.delivery import outbox
from idp.delivery.channels.http_gateway import HttpGateway
from idp.delivery.wording import Wording
from idp.foundation import template_folder
from idp.stores import Unavailable
from idp.stores.durable import outbox as kept
from tests.conftest import Clock
from tests.dispatch import CODE, House, house
from tests.receivers import eventually, listener

__all__ = ["house"]


# --- the worker that runs ----------------------------------------------------------------------------------------


def test_a_woken_worker_sends_at_once(house: House) -> None:
    house.begun()
    time.sleep(0.3)
    took = []
    for number in range(1, 4):
        began = time.monotonic()
        house.post()
        outbox.wake()
        eventually(lambda number=number: len(house.phones.asked) == number)  # type: ignore[misc]
        took.append(time.monotonic() - began)

    assert min(took) < 0.5  # and not only at the next look, a second later


def test_a_worker_that_nobody_wakes_looks_every_second(house: House) -> None:
    house.begun()
    time.sleep(0.3)
    house.post()

    eventually(lambda: len(house.phones.asked) == 1, seconds=3)


def test_a_hanging_mail_server_keeps_no_text_message_waiting(house: House) -> None:
    with listener(b"2" * 50, every=5) as port:
        house.settings = msgspec.structs.replace(
            house.settings, mail=msgspec.structs.replace(house.settings.mail, port=port, timeout=5)
        )
        for _ in range(3):
            house.post("email")
        house.begun()
        time.sleep(0.3)
        began = time.monotonic()
        house.post()
        outbox.wake()
        eventually(lambda: len(house.phones.asked) == 1)

        assert time.monotonic() - began < 2


def test_it_stops_within_two_seconds_whatever_it_is_doing(house: House) -> None:
    house.phones.slowness = 0.9
    for _ in range(10):
        house.post()
    worker = house.begun()
    eventually(lambda: len(house.phones.asked) == 1)
    began = time.monotonic()

    worker.stop()

    assert time.monotonic() - began < 2.5
    sent = len(house.phones.asked)
    time.sleep(1.2)
    assert len(house.phones.asked) <= sent + 1


def test_chores_are_done_and_one_that_fails_ends_nothing(house: House, caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()

    def fails() -> None:
        raise RuntimeError(f"a secret: {CODE}")

    house.begun(done.set, fails)
    assert done.wait(5)
    house.post()
    outbox.wake()

    eventually(lambda: len(house.phones.asked) == 1)
    eventually(lambda: "RuntimeError" in caplog.text)
    assert CODE not in caplog.text  # SR-120


def test_a_database_that_is_away_is_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away, really = threading.Event(), kept.claim
    away.set()

    def claim(*arguments: object, **named: object) -> object:
        if away.is_set():
            raise Unavailable("database")
        return really(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(kept, "claim", claim)
    posted = house.post()
    house.begun()
    eventually(lambda: "database is down" in caplog.text)

    away.clear()

    eventually(lambda: outbox.state(posted) == "sent")


# --- many workers, and workers that die --------------------------------------------------------------------------


def test_two_workers_send_fifty_messages_and_none_twice(house: House) -> None:
    posted = [house.post() for _ in range(50)]
    house.phones.slowness = 0.02
    workers = [house.process() for _ in range(2)]
    eventually(lambda: len(house.phones.asked) >= 50, seconds=60)
    time.sleep(1.5)  # for what would come twice

    assert sorted(house.phones.ids) == sorted(posted)
    eventually(lambda: house.states(posted) == {"sent"})
    for process in workers:
        process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    for process in workers:
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors
    assert time.monotonic() - began < 5  # SR-129


def test_many_threads_claim_each_message_once(house: House) -> None:
    posted = [house.post() for _ in range(30)]
    barrier, claimed, lock = threading.Barrier(6), [], threading.Lock()

    def claims() -> None:
        with house.app.app_context():
            barrier.wait()
            while (mine := _claimed()) is not None:
                with lock:
                    claimed.append(mine.id)

    def _claimed() -> kept.Claimed | None:
        now = idp_clock.now()
        return kept.claim("sms", now=now, lease_until=now + timedelta(seconds=60))

    threads = [threading.Thread(target=claims) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(claimed) == sorted(posted)


def test_what_a_killed_worker_held_is_sent_by_the_next(house: House, clock: Clock) -> None:
    """`kill -9` between claiming a message and its being taken."""
    house.phones.slowness, house.phones.answers = 3.0, [503]
    posted = house.post()
    killed = house.process()
    eventually(lambda: outbox.state(posted) == "sending", seconds=20)
    killed.kill()
    killed.wait()
    house.phones.slowness, house.phones.answers = 0.0, []

    next_worker = house.worker()
    assert next_worker.work_once() == 0  # still held: the first may only be slow

    clock.advance(60)
    assert next_worker.work_once() == 1
    assert outbox.state(posted) == "sent"
    assert house.phones.ids == [posted]


def test_what_was_taken_before_the_kill_is_sent_again_under_the_same_id(house: House, clock: Clock) -> None:
    """At least once: the gateway drops the second by its id."""
    posted = house.post()
    now = idp_clock.now()
    held = kept.claim("sms", now=now, lease_until=now + timedelta(seconds=20))
    assert held is not None
    wording = Wording(house.settings, template_folder())
    HttpGateway("sms", house.settings.sms, wording).send(outbox.read(held.payload()), message_id=held.id)

    clock.advance(30)
    house.worker().work_once()

    assert house.phones.ids == [posted, posted]
    kept.finish(held, "failed")  # the one that came back from the dead has no say any more
    assert outbox.state(posted) == "sent"


def test_the_command_sends_what_is_due_and_says_how_many(house: House) -> None:
    house.post("email")
    house.post("voice")

    once = house.process("--once", "--json")
    output, errors = once.communicate(timeout=30)

    assert once.returncode == 0, errors
    assert msgspec.json.decode(output) == {"handled": 2}
    assert len(house.mailbox.mails) == len(house.phones.asked) == 1


def test_the_command_says_what_is_missing(house: House) -> None:
    (house.folder / "keys" / "encryption.key").unlink()

    once = house.process("--once")
    _, errors = once.communicate(timeout=30)

    assert once.returncode == 1
    assert "encryption.key" in errors
    assert "Traceback" not in errors
