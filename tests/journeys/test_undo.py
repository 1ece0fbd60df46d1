"""Undoing a change by the code of its notice, without signing in (SR-42, SR-66)."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.services import undoing
from tests.conftest import Clock
from tests.members import account_id, member
from tests.moves import changes_address, mails, undo_code, undoes
from tests.people import PASSWORD, Person, Provider
from tests.races.together import in_parallel

NEW, NEWER = "kari.ny@example.no", "kari.nyere@example.no"
OTHER_PASSWORD = "fire grå hester sover stille"
HOUR = 3600
embedded = pytest.mark.parametrize("stores", ["embedded"], indirect=True)
REFUSED = "That code does not work. It may be misspelled, have been used or have run out."


@pytest.fixture
def thief(provider: Provider) -> Person:
    """Somebody who had the password and the phone for a moment, and has changed the address of an account."""
    person = member(provider).goes("/account")
    person.sends(email=person.email, password=PASSWORD).sends("sms")
    person.sends("verify", code=person.phoned_code())
    return changes_address(person, NEW)


def told(person: Person, address: str = "") -> str:
    """The undo code in the newest notice to the address that was left."""
    found = undo_code(mails(person.provider, address or person.email)[-1]["text"])
    assert found
    return found


def signs_in(person: Person, email: str = "") -> Person:
    fresh = person.provider.person(email=email or person.email, number=person.number)
    return fresh.goes("/account").sends(email=fresh.email, password=PASSWORD)


def resets(person: Person, address: str) -> Person:
    person.comes_from_portal().presses("Forgotten your password?").sends(email=address)
    person.provider.deliver()
    person.sends("verify", code=person.provider.outside.code(address)).sends("sms")
    person.sends("verify", code=person.phoned_code())
    return person.sends(new_password=OTHER_PASSWORD, confirm_password=OTHER_PASSWORD)


@embedded
def test_whoever_reads_the_old_mailbox_has_the_account_back(thief: Person) -> None:
    owner = undoes(thief.provider.person(email=thief.email, number=thief.number), told(thief))
    assert owner.page.heading == "The change is undone"

    assert thief.goes("/account").page.heading == "Sign in"
    assert "is not right" in signs_in(thief).page.text
    assert "is not right" in signs_in(thief, NEW).page.text
    assert "code" in resets(owner, thief.email).redirected_to()
    for address in (thief.email, NEW):
        subjects = [mail["subject"] for mail in mails(owner.provider, address)]
        assert "A change of your Alumni account was undone" in subjects


@embedded
def test_a_code_that_is_wrong_used_or_late_hears_the_same(thief: Person, clock: Clock) -> None:
    """Requirements, section R."""
    code, person = told(thief), thief.provider.person()
    undoes(person, "22222-33333-44444")
    wrong = (person.answer.status_code, person.page.text)
    undoes(person, code)
    undoes(person, code)
    used = (person.answer.status_code, person.page.text)
    late = changes_address(signed_in_again(thief), NEWER)
    code = told(late, thief.email)
    clock.advance(72 * HOUR)
    undoes(person, code)

    assert wrong == used == (person.answer.status_code, person.page.text)
    assert wrong[0] == 422
    assert REFUSED in wrong[1]


def signed_in_again(thief: Person) -> Person:
    owner = thief.provider.person(email=thief.email, number=thief.number)
    resets(owner, thief.email)
    return owner


@embedded
def test_it_counts_for_72_hours_and_a_clock_that_steps_back_revives_nothing(thief: Person, clock: Clock) -> None:
    code = told(thief)
    clock.advance(72 * HOUR + 1)
    assert undoes(thief.provider.person(), code).answer.status_code == 422
    clock.advance(-2 * HOUR)
    assert undoes(thief.provider.person(), code).answer.status_code == 422


@embedded
def test_in_the_72nd_hour_it_counts(thief: Person, clock: Clock) -> None:
    code = told(thief)
    clock.advance(72 * HOUR - 60)

    assert undoes(thief.provider.person(), code).page.heading == "The change is undone"


@embedded
@pytest.mark.parametrize("spelling", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\n"])
def test_it_may_be_spelled_as_people_do(thief: Person, spelling: object) -> None:
    assert callable(spelling)

    assert undoes(thief.provider.person(), spelling(told(thief))).page.heading == "The change is undone"


@embedded
def test_a_reset_by_whoever_changed_it_is_no_way_around(thief: Person) -> None:
    code = told(thief)
    resets(thief.provider.person(email=NEW, number=thief.number), NEW)

    assert undoes(thief.provider.person(), code).page.heading == "The change is undone"
    assert account_id(thief)


@embedded
def test_what_came_after_it_falls_with_it(thief: Person) -> None:
    """The first address is the one that comes back; the code of a later change is worth nothing then."""
    first = told(thief)
    changes_address(thief, NEWER)
    second = told(thief, NEW)
    undoes(thief.provider.person(), first)

    assert account_id(thief)
    assert undoes(thief.provider.person(), second).answer.status_code == 422
    late = thief.provider.person().comes_from_portal().presses("Forgotten your password?").sends(email=NEW)
    assert late.page.heading == "Check your email"
    assert "No Alumni account" in mails(thief.provider, NEW)[-1]["subject"]


@embedded
def test_nothing_but_a_form_of_ours_undoes_anything(thief: Person) -> None:
    """SR-57: no link, no other site, no form of another browser."""
    code, person = told(thief), thief.provider.person()
    person.goes(f"/undo?undo-code={code}&do=undo")
    form = person.page.form_with("undo")
    person.posts("/undo", {"undo-code": code, "do": "undo"})
    thief.provider.person().goes("/undo").posts(form.action, {**form.fields, "undo-code": code})
    answer = person.browser.post(
        "/undo",
        base_url="https://login.example",
        data={**form.fields, "undo-code": code},
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert answer.status_code == 403
    assert thief.goes("/account").page.heading == "Security"


@embedded
def test_it_is_not_guessed_at_without_end(provider: Provider) -> None:
    person = provider.person()
    for _ in range(undoing.TRIES):
        undoes(person, "22222-33333-44444")
    assert person.answer.status_code == 422

    assert undoes(person, "22222-33333-44444").answer.status_code == 429
    assert int(person.answer.headers["Retry-After"]) > 0


@embedded
def test_the_code_is_kept_as_a_digest_and_nowhere_in_the_clear(thief: Person) -> None:
    """SR-20, SR-120."""
    code = told(thief).replace("-", "")
    database = Path(thief.provider.parts.settings.database.url.removeprefix("sqlite:///"))
    kept = b"".join(path.read_bytes() for path in database.parent.glob("idp.sqlite*"))

    assert code.encode() not in kept
    assert thief.email.encode() not in kept


def test_of_twenty_at_the_same_moment_one_undoes_it(thief: Person) -> None:
    """One conditional delete decides, on both databases."""
    code, provider = told(thief), thief.provider

    def once() -> bool:
        with provider.app.app_context():
            return undoing.by_code(code, provider.parts.hashing)

    assert sorted(in_parallel(20, once)) == [False] * 19 + [True]
