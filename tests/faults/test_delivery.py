"""Delivery when things go wrong: codes that die, gateways that are down, messages that cannot be read."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text

from idp import clock as idp_clock
from idp.delivery import breaker, outbox
from idp.stores import Unavailable
from idp.stores.durable import outbox as kept
from idp.stores.durable.db import transaction
from tests.conftest import Clock
from tests.dispatch import ADDRESS, CODE, NUMBER, House, house
from tests.servers import free_port

__all__ = ["house"]


# --- posting and erasing -----------------------------------------------------------------------------------------


def test_a_message_is_posted_with_what_it_tells_of_or_not_at_all(house: House) -> None:
    """Joins the caller's transaction."""
    posted = []

    def a_step_that_fails() -> None:
        with transaction():
            posted.append(house.post())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        a_step_that_fails()

    assert house.states(posted) == {None}
    assert house.worker().work_once() == 0


def test_a_code_is_sealed_while_it_waits_and_erased_when_it_is_sent(house: House) -> None:  # SR-20
    posted = house.post()
    sealed = house.payload(posted)
    assert sealed is not None
    assert CODE.encode() not in sealed
    assert NUMBER.encode() not in sealed

    assert house.worker().work_once() == 1

    assert outbox.state(posted) == "sent"
    assert house.payload(posted) is None
    assert house.phones.ids == [posted]


def test_a_message_dies_with_its_code(house: House, clock: Clock) -> None:  # SR-20
    late = house.post(minutes=10)
    house.phones.always = 503
    house.worker().work_once()
    assert outbox.state(late) == "queued"

    clock.advance(601)
    house.phones.always = 202
    house.worker().work_once()

    assert outbox.state(late) == "failed"
    assert house.payload(late) is None
    assert house.phones.asked == []


def test_a_code_that_no_longer_counts_is_taken_back(house: House) -> None:
    posted = house.post()

    assert outbox.withdraw(posted)

    assert house.payload(posted) is None
    assert house.worker().work_once() == 0
    assert outbox.state(posted) == "failed"
    assert not outbox.withdraw(posted)


def test_ended_messages_are_forgotten_after_a_day_and_waiting_ones_are_not(house: House, clock: Clock) -> None:
    """SR-125."""
    sent, notice = house.post(), house.post("email", minutes=3 * 24 * 60)
    house.mailbox.answers = ["451 later"]
    house.worker().work_once()

    clock.advance(24 * 3600 + 601)
    assert kept.forget(before=idp_clock.now() - timedelta(hours=24)) == 1

    assert outbox.state(sent) is None
    assert outbox.state(notice) == "queued"


def test_a_message_that_cannot_be_read_stops_no_other(house: House, caplog: pytest.LogCaptureFixture) -> None:
    broken, unknown, good = house.post(), house.post(kind="T-99"), house.post()
    with transaction() as connection:
        connection.execute(text("UPDATE outbox SET payload = :none WHERE id = :id"), {"none": b"x", "id": broken})

    house.worker().work_once()

    assert house.states([broken, unknown]) == {"failed"}
    assert outbox.state(good) == "sent"
    assert NUMBER not in caplog.text  # SR-120


# --- retries and breakers ----------------------------------------------------------------------------------------


def test_it_is_tried_again_after_growing_waits(house: House, clock: Clock) -> None:
    posted = house.post("email", minutes=30)
    house.mailbox.answers = ["451 later"] * 4
    worker = house.worker()
    handled = []
    for seconds in (0, 1, 1.5, 4, 1.5, 14, 1.5, 29, 1.5):  # 2, 5, 15 and 30 seconds between tries
        clock.advance(seconds)
        handled.append(worker.work_once())

    assert handled == [1, 0, 1, 0, 1, 0, 1, 0, 1]
    assert outbox.state(posted) == "sent"
    assert len(house.mailbox.mails) == 1


def test_what_is_final_is_not_tried_again(house: House, clock: Clock) -> None:
    posted = house.post()
    house.phones.answers = [422]
    worker = house.worker()
    worker.work_once()
    clock.advance(3600)

    assert worker.work_once() == 0
    assert outbox.state(posted) == "failed"
    assert house.payload(posted) is None


def test_after_five_failures_codes_fail_at_once_and_every_process_knows(house: House) -> None:
    """SR-128 and section Q: the page can offer another way; nobody waits for a dead gateway."""
    house.phones.always = 503
    worker = house.worker()
    first = [house.post() for _ in range(breaker.FAILURES)]
    assert not breaker.channel_is_down(house.store, "sms")

    worker.work_once()

    assert breaker.channel_is_down(house.store, "sms")
    assert worker.channel_is_down("sms")
    assert house.worker().channel_is_down("sms")  # another worker, told through the store
    assert not breaker.channel_is_down(house.store, "voice")
    assert outbox.state(first[-1]) == "failed"
    house.phones.always = 202
    after = house.post()
    worker.work_once()
    assert outbox.state(after) == "failed"
    assert house.payload(after) is None
    assert house.phones.asked == []


def test_other_channels_go_on_while_one_is_down(house: House) -> None:
    house.phones.answers = [503] * breaker.FAILURES
    worker = house.worker()
    for _ in range(breaker.FAILURES):
        house.post()
    call, mail = house.post("voice"), house.post("email")

    worker.work_once()

    assert worker.channel_is_down("sms")
    assert house.states([call, mail]) == {"sent"}


def test_mail_waits_until_the_server_is_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Section Q: queued, discarded when the code expires."""
    monkeypatch.setattr(breaker, "OPEN_FOR", 1)
    house.mailbox.answers = ["451 later"] * breaker.FAILURES
    worker = house.worker()
    posted = [house.post("email", minutes=30) for _ in range(breaker.FAILURES + 1)]
    worker.work_once()
    assert house.states(posted) == {"queued"}
    assert worker.work_once() == 0

    time.sleep(1.1)
    worker.work_once()

    assert outbox.state(posted[-1]) == "sent"


def test_a_notice_by_text_message_outlasts_a_dead_gateway(house: House, clock: Clock) -> None:
    """SR-42: the old number hears of the new one, if late."""
    house.phones.answers = [503] * breaker.FAILURES
    worker = house.worker()
    for _ in range(breaker.FAILURES):
        house.post()
    notice = house.post(kind="T-3", minutes=3 * 24 * 60)
    worker.work_once()
    assert outbox.state(notice) == "queued"

    another = house.worker()
    house.store.take("channel-down:sms")
    clock.advance(120)
    another.work_once()

    assert outbox.state(notice) == "sent"


def test_the_first_message_after_the_pause_tries_the_way(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "OPEN_FOR", 1)
    house.phones.answers = [503] * breaker.FAILURES
    worker = house.worker()
    for _ in range(breaker.FAILURES):
        house.post()
    worker.work_once()
    time.sleep(1.1)

    house.phones.always = 503
    still = house.post()
    worker.work_once()
    assert worker.channel_is_down("sms")  # one failure is enough now
    assert outbox.state(still) == "failed"

    time.sleep(1.1)
    house.phones.always = 202
    back = house.post()
    worker.work_once()
    assert outbox.state(back) == "sent"
    assert not worker.channel_is_down("sms")


def test_a_breaker_works_alone_when_the_store_is_down() -> None:
    class Down:
        def get(self, key: str) -> bytes | None:
            raise Unavailable("store")

        def put(self, key: str, value: bytes, *, ttl: int) -> None:
            raise Unavailable("store")

    alone = breaker.Breaker("sms", Down())  # type: ignore[arg-type]
    seen = [alone.is_open]
    for _ in range(breaker.FAILURES):
        alone.failed()
    seen.append(alone.is_open)
    alone.succeeded()
    seen.append(alone.is_open)

    assert seen == [False, True, False]


def test_nothing_personal_is_logged_of_a_message(house: House, caplog: pytest.LogCaptureFixture) -> None:  # SR-120
    caplog.set_level(logging.DEBUG)
    logging.getLogger("mail.log").disabled = True  # the other side's own
    house.phones.answers = [500, 422]
    house.mailbox.refuses = {ADDRESS: f"550 no {ADDRESS} here"}
    for channel in ("sms", "sms", "voice", "email"):
        house.post(channel)
    worker = house.worker()
    worker.work_once()
    logging.getLogger("mail.log").disabled = False

    for secret in (CODE, NUMBER, NUMBER[1:], ADDRESS, "kari"):
        assert secret not in caplog.text


def test_a_refused_connection_is_retried(house: House) -> None:
    house.settings = msgspec.structs.replace(
        house.settings, sms=msgspec.structs.replace(house.settings.sms, url=f"http://127.0.0.1:{free_port()}/")
    )
    posted = house.post()

    house.worker().work_once()

    assert outbox.state(posted) == "queued"
