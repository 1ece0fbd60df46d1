"""Notices that nobody asked for: of a sign-in in a new browser (M-6), and of many wrong passwords (M-11). SR-42."""

from __future__ import annotations

import pytest

from idp.services import sessions
from tests.conftest import Clock
from tests.members import account_id, member
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)

NEW, MANY = "New sign-in to Alumni: ", "Many sign-in attempts at Alumni"


def subjects(person: Person) -> list[str]:
    person.provider.deliver()
    return [str(mail["subject"]) for mail in person.provider.outside.messages(person.email)]


def news(person: Person) -> list[str]:
    return [subject for subject in subjects(person) if subject.startswith(NEW)]


def elsewhere(person: Person) -> Person:
    other = person.provider.person(email=person.email, number=person.number)
    other.headers["User-Agent"] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156.0 Safari/537.36"
    other.signs_in()
    return other


def test_a_browser_that_was_never_signed_in_is_told_of_once(provider: Provider) -> None:
    kari = provider.person().signs_up()
    assert not news(kari)

    other = elsewhere(kari)

    assert news(kari) == [f"{NEW}Chrome on Windows"]
    other.goes("/account").presses("Sign out").sends("sign-out")
    other.signs_in()
    kari.goes("/account").presses("Sign out").sends("sign-out")
    kari.signs_in()
    assert len(news(kari)) == 1


def test_a_browser_is_known_for_one_account_and_opens_nothing(provider: Provider) -> None:
    kari, ola = provider.person().signs_up(), provider.person().signs_up()
    shared = elsewhere(kari)
    shared.goes("/account").presses("Sign out").sends("sign-out")

    shared.email, shared.number = ola.email, ola.number
    shared.comes_from_portal()
    assert shared.page.heading == "Sign in"
    shared.sends(email=ola.email, password=PASSWORD).sends("sms").sends("verify", code=shared.phoned_code())

    assert len(news(ola)) == 1


def test_many_wrong_passwords_are_told_once_a_day(provider: Provider, clock: Clock) -> None:
    kari = member(provider)
    for _ in range(9):
        misses(kari, clock)
    assert MANY not in subjects(kari)

    for _ in range(3):
        misses(kari, clock)

    assert subjects(kari).count(MANY) == 1
    clock.advance(86400)
    misses(kari, clock)
    assert subjects(kari).count(MANY) == 2


def test_nobody_hears_of_guesses_at_an_address_without_an_account(provider: Provider, clock: Clock) -> None:
    """SR-10, SR-47."""
    nobody = provider.person()
    for _ in range(12):
        misses(nobody, clock)

    assert subjects(nobody) == []


def test_the_eleventh_sign_in_ends_the_oldest_and_its_owner_reads_of_it(provider: Provider) -> None:
    """SR-56."""
    kari = member(provider)
    kari.signs_in()
    identity, parts = account_id(kari), provider.parts
    with provider.app.app_context():
        for _ in range(10):
            sessions.start(parts.store, parts.settings.sessions, identity, [])
        assert len(sessions.of_account(identity)) == 10

    assert kari.goes("/account").page.heading == "Sign in"
    kari.sends(email=kari.email, password=PASSWORD).sends("sms").sends("verify", code=kari.phoned_code())
    assert "The oldest sign-in was ended" in kari.goes("/account/activity").page.text


def misses(person: Person, clock: Clock) -> None:
    """A stranger's wrong password, after whatever wait there is."""
    clock.advance(3700)
    stranger = person.provider.person().goes("/account")
    stranger.sends(email=person.email, password="galt passord som er langt")
