"""S-ACTIVITY (page spec §11): plain sentences, newest first, twenty a page, and nothing of anybody else."""

from __future__ import annotations

import pytest

from idp.services import accounts, audit
from idp.stores.durable import audit as trail
from idp.web import activity_words
from tests.architecture.generated import audit_events
from tests.conftest import Clock
from tests.members import account_id, member
from tests.people import PASSWORD, Person, Provider

on_one_pair = pytest.mark.parametrize("stores", ["embedded"], indirect=True)


@pytest.fixture
def kari(provider: Provider) -> Person:
    person = member(provider)
    person.signs_in()
    return person


def test_every_event_has_a_sentence_or_a_reason_to_be_left_out() -> None:
    told, left_out = set(activity_words.SENTENCES), set(activity_words.OMITTED)

    assert told | left_out == audit_events()
    assert not told & left_out
    assert all(activity_words.OMITTED.values())


@on_one_pair
def test_what_happened_is_told_with_the_newest_first(kari: Person) -> None:
    kari.tokens()

    text = kari.goes("/account").presses("View activity").page.text

    assert "for Alumni" in text
    order = [
        text.index(said)
        for said in ("A service got information", "You signed in.", "A code was sent", "You signed up.")
    ]
    assert order == sorted(order)


@on_one_pair
def test_a_strangers_tries_are_told(kari: Person, provider: Provider) -> None:
    provider.person(email=kari.email).goes("/account").sends(email=kari.email, password="galt passord her")

    assert "Someone tried to sign in with a wrong password." in kari.goes("/account/activity").page.text


@on_one_pair
def test_look_ups_by_support_are_told_to_the_person(kari: Person, provider: Provider) -> None:
    """SR-127."""
    identity = account_id(kari)
    with provider.app.app_context():
        accounts.looked_up(account_id=identity)
        audit.newest(5, account_id=identity)

    text = kari.goes("/account/activity").page.text
    assert "Support looked up your account." in text
    assert "Support looked at the activity of your account." in text


@on_one_pair
def test_it_is_nobody_elses(kari: Person, provider: Provider) -> None:
    ola = provider.person()
    ola.is_signed_in()

    text = ola.goes("/account/activity").page.text
    assert "You signed up." in text
    assert "A code was sent" not in text


@on_one_pair
def test_twenty_a_page_and_links_to_older_and_newer(kari: Person, provider: Provider) -> None:
    identity = account_id(kari)
    with provider.app.app_context():
        for _ in range(45):
            trail.record("person.looked_up", account_id=identity)
    seen = []
    page = kari.goes("/account/activity").page
    while "Older activity" in page.links:
        seen.append(page.text.count("Support looked up your account."))
        page = kari.presses("Older activity").page

    assert seen[:2] == [20, 20]
    assert kari.presses("Newest activity").page.text.count("Support looked up your account.") == 20
    assert kari.goes("/account/activity?before=x").answer.status_code == 404


@on_one_pair
def test_ninety_days_are_shown(kari: Person, clock: Clock) -> None:
    """SR-125."""
    clock.advance(89 * 86400)
    with kari.provider.app.app_context():
        assert audit.activity(_id(kari), events=activity_words.SENTENCES, number=9)
    clock.advance(2 * 86400)
    with kari.provider.app.app_context():
        assert not audit.activity(_id(kari), events=activity_words.SENTENCES, number=9)


@on_one_pair
def test_what_to_do_when_it_was_not_you(kari: Person) -> None:
    page = kari.goes("/account/activity").page

    assert page.links["Sign out all others"] == "/account/devices"
    assert page.links["Create a new password"] == "/account/password"
    assert "Contact us" in page.text
    assert PASSWORD not in page.html


def _id(person: Person) -> str:
    found = accounts.by_address(person.email)
    assert found
    return found.id
