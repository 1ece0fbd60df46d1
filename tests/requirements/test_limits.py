"""How often things may happen, and that no cache, clock or crowd changes it (requirements, sections B and C)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask

from idp import clock
from idp.rules.limits import Allowed, Decision, SwitchedOff, Wait
from idp.services import throttling
from idp.services.throttling import address_key
from idp.services.windows import Origin, origin_of
from idp.settings import Limits
from idp.stores.durable import audit, guesses
from idp.stores.durable.guesses import Counted, Refused, Rule
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.embedded import EmbeddedStore
from tests.administration import Clock, the_clock
from tests.durable import durable

__all__ = ["durable", "the_clock"]

LIMITS = Limits()
HOME = origin_of("192.0.2.7")
KARI, OLA = "0aBcD3f_GhIjKlMnOpQrSt", "9zYxW3v_UtSrQpOnMlKjIh"
NUMBER = "+4790123456"


@pytest.fixture
def app(durable: Flask, the_clock: Clock) -> Flask:
    return durable


@pytest.fixture
def store(tmp_path: Path) -> ShortLived:
    return EmbeddedStore(tmp_path / "shortlived.sqlite", timeout=5)


@pytest.fixture
def send(store: ShortLived, app: Flask) -> Callable[..., Decision]:
    """Ask for one message; who and where from may vary."""
    places = iter(range(10**6))

    def ask(
        channel: str = "sms", to: str = NUMBER, *, about: str | None = KARI, origin: Origin | None = None
    ) -> Decision:
        place = next(places)
        anywhere = origin_of(f"10.{place // 250}.{place % 250}.1")
        return throttling.before_send(
            store, LIMITS, channel=channel, destination=to, account=about, origin=origin or anywhere
        )

    return ask


def guess_password(store: ShortLived, key: str, *, origin: Origin = HOME, limits: Limits = LIMITS) -> Decision:
    """One wrong password, if there may be one."""
    decision = throttling.before_password(store, limits, key, origin)
    if isinstance(decision, Allowed):
        throttling.password_failed(store, key, origin)
    return decision


# Where it comes from: SR-26, SR-27


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("192.0.2.7", Origin("192.0.2.7", "192.0.2.0/24")),
        ("::ffff:192.0.2.7", Origin("192.0.2.7", "192.0.2.0/24")),
        ("2001:db8:1:2:3:4:5:6", Origin("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("fe80::1%eth0", Origin("fe80::1", "fe80::/64", "fe80::/48")),
        ("", Origin("unknown", "unknown")),
        ("192.0.2.7, 10.0.0.1", Origin("unknown", "unknown")),
    ],
)
def test_an_origin_is_an_address_and_its_networks(address: str, origin: Origin) -> None:
    assert origin_of(address) == origin


# Passwords: SR-9, SR-30, SR-31


def test_wrong_passwords_wait_longer_and_longer_for_known_and_unknown_addresses_alike(
    app: Flask, store: ShortLived, the_clock: Clock
) -> None:
    waits: dict[str, list[int]] = {}
    for address in ("kari@example.no", "nobody@example.no"):
        key, waited = address_key(address), []
        for _ in range(10):
            decision = guess_password(store, key)
            while isinstance(decision, Wait):
                waited.append(decision.seconds)
                the_clock.passes(seconds=decision.seconds)
                decision = guess_password(store, key)
        waits[address] = waited
        the_clock.passes(hours=1)
    assert waits["kari@example.no"] == [1, 60, 120, 240, 480, 900] == waits["nobody@example.no"]


def test_waiting_tries_are_not_counted_so_nobody_waits_for_ever(
    app: Flask, store: ShortLived, the_clock: Clock
) -> None:
    key = address_key("kari@example.no")
    for _ in range(5):
        the_clock.passes(seconds=1)
        guess_password(store, key)
    for _ in range(20):
        assert isinstance(guess_password(store, key), Wait)
    the_clock.passes(seconds=60)
    assert throttling.before_password(store, LIMITS, key, HOME) == Allowed()


def test_the_right_password_ends_the_row_of_misses(app: Flask, store: ShortLived, the_clock: Clock) -> None:
    key = address_key("kari@example.no")
    for _ in range(4):
        guess_password(store, key)
    the_clock.passes(seconds=5)
    assert throttling.before_password(store, LIMITS, key, HOME) == Allowed()
    throttling.password_succeeded(key, HOME)
    assert throttling.before_password(store, LIMITS, key, HOME) == Allowed()
    assert throttling.password_failed(store, key, HOME) == 1


def test_strangers_guessing_do_not_keep_the_owner_out(app: Flask, store: ShortLived, the_clock: Clock) -> None:
    """SR-31: a place where the password was right before waits only for its own misses."""
    key = address_key("kari@example.no")
    assert throttling.before_password(store, LIMITS, key, HOME) == Allowed()
    throttling.password_succeeded(key, HOME)
    for place in range(40):
        guess_password(store, key, origin=origin_of(f"10.0.{place}.1"))
        the_clock.passes(seconds=60)
    assert isinstance(throttling.before_password(store, LIMITS, key, origin_of("10.1.1.1")), Wait)
    assert throttling.before_password(store, LIMITS, key, HOME) == Allowed()


def test_a_hundred_misses_in_a_row_switch_the_password_off_until_there_is_a_new_one(
    app: Flask, store: ShortLived, the_clock: Clock
) -> None:  # SR-30
    key = address_key("kari@example.no")
    for miss in range(100):
        the_clock.passes(minutes=16)
        assert guess_password(store, key, origin=origin_of(f"10.0.{miss}.1")) == Allowed()
    the_clock.passes(days=400)
    assert guess_password(store, key) == SwitchedOff()
    assert guess_password(store, address_key("ola@example.no")) == Allowed()
    throttling.password_replaced(key)
    assert guess_password(store, key) == Allowed()


def test_one_place_may_fail_only_so_often_whoever_it_tries(app: Flask, store: ShortLived, the_clock: Clock) -> None:
    # SR-30: 30 failures an address, 100 a network, in ten minutes
    for number in range(30):
        assert guess_password(store, address_key(f"{number}@example.no")) == Allowed()
    refused = guess_password(store, address_key("kari@example.no"))
    assert isinstance(refused, Wait)
    assert 0 < refused.seconds <= 600
    for number in range(70):
        neighbour = origin_of(f"192.0.2.{100 + number // 20}")
        assert guess_password(store, address_key(f"b{number}@example.no"), origin=neighbour) == Allowed()
    assert isinstance(guess_password(store, address_key("kari@example.no"), origin=origin_of("192.0.2.200")), Wait)
    the_clock.passes(minutes=10)
    assert guess_password(store, address_key("kari@example.no")) == Allowed()


# Codes: SR-17, SR-18


def guess_code(factor: str = "sms", account: str = KARI) -> Decision:
    return throttling.before_code(LIMITS, account, factor)


def test_ten_wrong_codes_an_hour_and_twenty_a_day_by_account_and_factor(app: Flask, the_clock: Clock) -> None:
    assert [guess_code() for _ in range(10)] == [Allowed()] * 10
    refused = guess_code()
    assert isinstance(refused, Wait)
    assert refused.seconds == 3600
    assert guess_code("totp") == Allowed()
    assert guess_code(account=OLA) == Allowed()
    the_clock.passes(seconds=3600)
    assert [guess_code() for _ in range(10)] == [Allowed()] * 10
    the_clock.passes(hours=2)
    refused = guess_code()
    assert isinstance(refused, Wait)
    assert refused.seconds == 21 * 3600
    the_clock.passes(hours=21)
    assert guess_code() == Allowed()


def test_a_right_code_counts_as_no_guess_and_a_hundred_wrong_ones_switch_the_factor_off(
    app: Flask, store: ShortLived, the_clock: Clock
) -> None:
    for _ in range(50):
        assert guess_code() == Allowed()
        throttling.code_succeeded(store, KARI, "sms", channel="sms", destination=NUMBER)
    for _ in range(100):
        the_clock.passes(hours=3)
        assert guess_code() == Allowed()
    the_clock.passes(days=400)
    assert guess_code() == SwitchedOff()
    throttling.factor_replaced(KARI, "sms")
    assert guess_code() == Allowed()


def test_guesses_at_once_are_all_counted(app: Flask) -> None:  # SR-18
    rule = Rule(in_a_row=10)
    barrier = Barrier(20)

    def guess() -> Counted | Refused:
        with app.app_context():
            barrier.wait()
            return guesses.count(KARI, "sms", rule, now=clock.now())

    with ThreadPoolExecutor(20) as threads:
        outcomes = [done.result() for done in [threads.submit(guess) for _ in range(20)]]
    allowed = [outcome.in_a_row for outcome in outcomes if isinstance(outcome, Counted)]
    assert sorted(allowed) == list(range(1, 11))


def test_counters_outlive_the_cache_and_the_process(app: Flask, tmp_path: Path, the_clock: Clock) -> None:
    # SR-18, section Q: a flushed cache gives no extra guesses
    key = address_key("kari@example.no")
    for process in range(6):
        fresh = EmbeddedStore(tmp_path / f"cache-{process}.sqlite", timeout=5)
        decision = guess_password(fresh, key)
        the_clock.passes(seconds=2)
    assert isinstance(decision, Wait)


def test_a_clock_that_steps_back_gives_no_extra_guesses(app: Flask, the_clock: Clock) -> None:
    for _ in range(10):
        guess_code()
    the_clock.passes(hours=-5)
    assert isinstance(guess_code(), Wait)


def test_idle_counters_go_unless_they_matter(app: Flask, the_clock: Clock) -> None:  # SR-125
    guess_code()
    for _ in range(30):
        guesses.count(OLA, "sms", Rule(), now=clock.now())
    the_clock.passes(days=31)
    assert throttling.forget_idle() == 1
    assert guesses.in_a_row(OLA, "sms") == 30


# Sending: SR-28, SR-29, SR-32


def allowed(decisions: Iterator[Decision]) -> int:
    return sum(isinstance(decision, Allowed) for decision in decisions)


def test_an_address_gets_five_codes_an_hour_and_ten_a_day(send: Callable[..., Decision], the_clock: Clock) -> None:
    to = "kari@example.no"
    assert allowed(send("email", to, about=None) for _ in range(8)) == 5
    the_clock.passes(hours=1)
    assert allowed(send("email", to, about=None) for _ in range(8)) == 5
    the_clock.passes(hours=1)
    assert allowed(send("email", to, about=None) for _ in range(8)) == 0
    assert send("email", "ola@example.no", about=None) == Allowed()
    the_clock.passes(days=1)
    assert send("email", to, about=None) == Allowed()


def test_capitals_make_no_other_mailbox(send: Callable[..., Decision]) -> None:  # SR-48
    spellings = ("kari@example.no", "Kari@example.no", "kari@EXAMPLE.no", "KARI@Example.NO")
    assert allowed(send("email", to, about=None) for to in spellings * 2) == 5


def test_three_messages_without_an_answer_in_ten_minutes_are_enough(
    send: Callable[..., Decision], store: ShortLived, the_clock: Clock
) -> None:  # SR-32
    assert allowed(send() for _ in range(5)) == 3
    the_clock.passes(minutes=10)
    assert send() == Allowed()
    throttling.code_succeeded(store, KARI, "sms", channel="sms", destination=NUMBER)
    assert send() == Allowed()


def test_calls_have_half_of_what_messages_have(send: Callable[..., Decision], the_clock: Clock) -> None:  # SR-28
    calls = 0
    for _ in range(6):
        calls += isinstance(send("voice"), Allowed)
        the_clock.passes(minutes=9)
    assert calls == 3


def test_one_place_may_ask_for_ten_codes_an_hour_and_its_network_for_thirty(send: Callable[..., Decision]) -> None:
    assert allowed(send("email", f"{n}@example.no", about=None, origin=HOME) for n in range(12)) == 10
    neighbours = [origin_of(f"192.0.2.{100 + number}") for number in range(30)]
    sent = allowed(send("email", f"x{n}@example.no", about=None, origin=place) for n, place in enumerate(neighbours))
    assert 18 <= sent <= 20


def test_ipv6_counts_by_the_network_of_a_household_and_a_wide_one(send: Callable[..., Decision]) -> None:
    def asks(address: str) -> Decision:
        return send(
            "email", f"{address.replace(':', '-').strip('-')}@example.no", about=None, origin=origin_of(address)
        )

    assert allowed(asks(f"2001:db8:1:2::{n:x}") for n in range(1, 40)) == 30
    assert allowed(asks(f"2001:db8:9:{n:x}::1") for n in range(1, 320)) == 300


def test_a_prefix_gets_fifty_codes_an_hour(
    send: Callable[..., Decision], store: ShortLived, the_clock: Clock
) -> None:  # SR-28
    def asks(number: int) -> Decision:
        to = f"+479012{number:04d}"
        return send(to=to, about=address_key(to))

    assert allowed(asks(number) for number in range(60)) == 50
    assert send(to="+4791111111", about=OLA) == Allowed()


def test_a_prefix_whose_codes_nobody_uses_is_stopped_and_reported(
    send: Callable[..., Decision], store: ShortLived, the_clock: Clock
) -> None:  # SR-29
    def asks(number: int) -> Decision:
        to = f"+479012{number:04d}"
        return send(to=to, about=address_key(to))

    assert allowed(asks(number) for number in range(25)) == 25
    the_clock.passes(minutes=20)
    assert isinstance(asks(100), Wait)
    assert isinstance(asks(101), Wait)
    assert [event.event for event in audit.read()] == ["sending.prefix-stopped"]
    assert send(to="+4791111111", about=OLA) == Allowed()
    the_clock.passes(minutes=61)
    assert asks(102) == Allowed()


def test_a_prefix_whose_codes_are_used_goes_on(
    send: Callable[..., Decision], store: ShortLived, the_clock: Clock
) -> None:
    for number in range(25):
        to = f"+479012{number:04d}"
        assert send(to=to, about=address_key(to)) == Allowed()
        if number % 3 == 0:
            throttling.code_succeeded(store, address_key(to), "sms", channel="sms", destination=to)
    the_clock.passes(minutes=20)
    assert send(to="+4790129999", about=OLA) == Allowed()


def test_when_the_day_is_spent_new_numbers_wait_and_people_with_an_account_do_not(
    store: ShortLived, app: Flask
) -> None:  # SR-29
    few = Limits(sms_per_day=3)

    def asks(about: str, number: int) -> Decision:
        to, place = f"+4790{number}000{number}00", origin_of(f"10.{number}.0.1")
        return throttling.before_send(store, few, channel="sms", destination=to, account=about, origin=place)

    assert allowed(asks(f"account-{number}", number) for number in range(3)) == 3
    assert isinstance(asks(address_key("+4791111111"), 7), Wait)
    assert asks(KARI, 8) == Allowed()
    assert [event.event for event in audit.read()] == ["sending.day-spent"]


# New journeys, as SR-34 has it


def test_journeys_are_capped_by_place_and_in_all(store: ShortLived, app: Flask, the_clock: Clock) -> None:
    few = Limits(journeys_per_address_hour=5, journeys_total_minute=8)
    assert allowed(throttling.new_journey(store, few, HOME) for _ in range(9)) == 5
    places = (origin_of(f"10.0.{number}.1") for number in range(9))
    assert allowed(throttling.new_journey(store, few, place) for place in places) == 3
    the_clock.passes(minutes=1)
    assert throttling.new_journey(store, few, origin_of("10.9.9.9")) == Allowed()


# What is kept


def test_counters_name_no_address_no_number_and_no_network(app: Flask, store: ShortLived) -> None:  # SR-125
    guess_password(store, address_key("kari@example.no"))
    from sqlalchemy import select

    from idp.stores.durable.db import transaction

    with transaction() as connection:
        kept = str(connection.execute(select(guesses.guesses)).all())
    assert "kari" not in kept
    assert "192.0.2" not in kept
