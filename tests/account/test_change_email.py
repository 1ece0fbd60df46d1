"""S-EMAIL (page spec §11): another address to sign in with, and the way back to the old one."""

from __future__ import annotations

import pytest

from tests.conftest import Clock
from tests.members import account_id, member, sessions_of
from tests.moves import asks_for, changes_address, mails, undo_code
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)

NEW = "fire grå hester sover stille"
HOUR, DAY = 3600, 24 * 3600


@pytest.fixture
def kari(provider: Provider) -> Person:
    """Somebody who has just signed in to her own page."""
    return walks_in(member(provider).goes("/account"))


def walks_in(person: Person, password: str = PASSWORD) -> Person:
    person.sends(email=person.email, password=password).sends("sms")
    return person.sends("verify", code=person.phoned_code())


def elsewhere(person: Person, email: str = "") -> Person:
    return person.provider.person(email=email or person.email, number=person.number)


def test_the_new_address_is_proved_and_signs_in_from_then_on(kari: Person) -> None:
    """SR-66: and `sub` stays what it was."""
    before, old = account_id(kari), kari.email
    changes_address(kari, "kari.ny@example.no")

    assert kari.page.heading == "Security"
    assert "Your email address is changed." in kari.page.text
    assert "kari.ny@example.no" in kari.page.text
    new = elsewhere(kari, "kari.ny@example.no")
    assert account_id(new) == before
    assert walks_in(new.goes("/account")).page.heading == "Security"
    refused = elsewhere(kari, old).goes("/account").sends(email=old, password=PASSWORD)
    assert "The email address or the password is not right." in refused.page.text


def test_until_the_code_is_typed_nothing_is_changed(kari: Person) -> None:
    """SR-66: the old address stays the login name until proof."""
    asks_for(kari, "kari.ny@example.no")
    assert kari.page.heading == "Check your email"
    kari.sends("verify", code="000000")

    assert kari.answer.status_code == 422
    assert walks_in(elsewhere(kari).goes("/account")).page.heading == "Security"


def test_the_mails_say_what_they_are_for(kari: Person) -> None:
    """SR-42: the old address hears of it, with the code that undoes it; the new one hears of it without."""
    old = kari.email
    asks_for(kari, "kari.ny@example.no")
    code_mail = mails(kari.provider, "kari.ny@example.no")[-1]
    assert "confirms your new email address" in code_mail["subject"]
    assert "valid for 30 minutes" in code_mail["text"]

    kari.sends("verify", code=kari.provider.outside.code("kari.ny@example.no"))
    told_old, told_new = (mails(kari.provider, address)[-1] for address in (old, "kari.ny@example.no"))
    assert told_old["subject"] == told_new["subject"] == "Your Alumni email address was changed"
    assert "72 hours" in told_old["text"]
    assert undo_code(told_old["text"])
    assert not undo_code(told_new["text"])


def test_an_address_of_another_account_looks_the_same_and_its_mailbox_is_told(kari: Person) -> None:
    """SR-47, page spec §11."""
    ola = member(kari.provider)
    asks_for(kari, ola.email)
    assert kari.page.heading == "Check your email"

    told = mails(kari.provider, ola.email)[-1]
    assert told["subject"] == "This address already has an account with Alumni"
    assert not any(character.isdigit() for character in told["subject"])
    kari.sends("verify", code="123456")
    assert kari.answer.status_code == 422
    assert account_id(ola) != account_id(kari)


def test_ones_own_address_is_no_new_one(kari: Person) -> None:
    kari.presses("Change email address").sends("send", email=kari.email.upper())

    assert "That is the email address you already have. Enter another." in kari.page.text


def test_whoever_takes_the_address_first_has_it(kari: Person, clock: Clock) -> None:
    """SR-49: the other hears of it in the mailbox alone."""
    asks_for(kari, "felles@example.no")
    code = _code(kari, "felles@example.no")
    member(kari.provider, email="felles@example.no")

    kari.sends("verify", code=code)

    assert kari.page.heading == "Check your email"
    assert "in use" not in kari.page.text
    clock.advance(31)
    kari.sends("resend")
    assert "already has an account" in mails(kari.provider, "felles@example.no")[-1]["subject"]


def test_old_proofs_do_not_serve(kari: Person, clock: Clock) -> None:
    """SR-40."""
    clock.advance(11 * 60)
    kari.presses("Change email address")

    assert kari.page.heading == "Confirm that it is you"


def test_a_code_that_came_after_a_day_changes_nothing(kari: Person, clock: Clock) -> None:
    """SR-66: a pending change expires in 24 hours, however often a code is asked for."""
    asks_for(kari, "kari.ny@example.no")
    path = kari.answer.request.path
    for _ in range(2):
        clock.advance(13 * HOUR)
        walks_in(kari.goes("/account"))
        kari.goes(path).sends("resend")
    kari.sends("verify", code=_code(kari, "kari.ny@example.no"))

    assert kari.page.heading == "Change email address"
    assert walks_in(elsewhere(kari).goes("/account")).page.heading == "Security"


def test_a_reset_ends_a_change_that_waits_for_its_code(kari: Person) -> None:
    """SR-63, SR-66."""
    asks_for(kari, "kari.ny@example.no")
    code = _code(kari, "kari.ny@example.no")
    resets(elsewhere(kari))

    kari.sends("verify", code=code)

    assert kari.page.heading != "Security"
    assert walks_in(elsewhere(kari).goes("/account"), NEW).page.heading == "Security"


def test_the_old_address_leads_back_for_seven_days(kari: Person, clock: Clock) -> None:
    """Page spec §11: it stays usable for recovery; mailbox and phone, as every reset."""
    old = kari.email
    changes_address(kari, "kari.ny@example.no")
    clock.advance(7 * DAY - HOUR)
    person = resets(elsewhere(kari, old))
    assert "code" in person.redirected_to()
    assert walks_in(elsewhere(kari, "kari.ny@example.no").goes("/account"), NEW).page.heading == "Security"

    clock.advance(2 * HOUR)
    late = elsewhere(kari, old).comes_from_portal().presses("Forgotten your password?").sends(email=old)
    assert late.page.heading == "Check your email"
    assert mails(kari.provider, old)[-1]["subject"] == "No Alumni account for this address"


def test_nobody_else_has_the_old_address_within_that_time(kari: Person, clock: Clock) -> None:
    old = kari.email
    changes_address(kari, "kari.ny@example.no")
    stranger = kari.provider.person(email=old).comes_from_portal().presses("Sign up now")
    stranger.sends(email=old).sends("verify", code=stranger.mailed_code())
    assert stranger.page.heading == "You already have an account"

    clock.advance(7 * DAY + 1)
    fresh = kari.provider.person(email=old).signs_up()
    assert "code" in fresh.redirected_to()
    assert account_id(fresh) != account_id(elsewhere(kari, "kari.ny@example.no"))


def test_one_may_go_back_to_the_old_address_oneself(kari: Person) -> None:
    old = kari.email
    changes_address(kari, "kari.ny@example.no")
    changes_address(kari, old)

    assert old in kari.page.text
    assert walks_in(elsewhere(kari, old).goes("/account")).page.heading == "Security"


def test_other_devices_stay_signed_in(kari: Person) -> None:
    """Whoever is changed against their will is not put out by it."""
    other = walks_in(elsewhere(kari).goes("/account"))
    changes_address(kari, "kari.ny@example.no")

    assert other.goes("/account").page.heading == "Security"
    assert sessions_of(elsewhere(kari, "kari.ny@example.no")) == 2


def test_the_browser_gets_a_new_session(kari: Person) -> None:
    """SR-53."""
    before = kari.browser.get_cookie("__Host-session", domain="login.example")
    changes_address(kari, "kari.ny@example.no")
    after = kari.browser.get_cookie("__Host-session", domain="login.example")

    assert before
    assert after
    assert before.value != after.value


def test_the_owner_may_undo_it_while_signed_in(kari: Person) -> None:
    old = kari.email
    changes_address(kari, "kari.ny@example.no").presses("Undo the change of email address")
    assert old in kari.page.text
    kari.sends("undo")

    assert "The change of email address is undone." in kari.page.text
    assert walks_in(elsewhere(kari, old).goes("/account")).page.heading == "Security"
    assert "nothing to undo" in kari.goes("/account/undo").page.text


def test_that_takes_both_factors_anew(kari: Person, clock: Clock) -> None:
    """SR-40: it changes how one signs in, too."""
    changes_address(kari, "kari.ny@example.no")
    clock.advance(11 * 60)
    kari.goes("/account/undo").sends("undo")

    assert kari.page.heading == "Confirm that it is you"


def test_nobody_undoes_what_is_anothers(kari: Person) -> None:
    changes_address(kari, "kari.ny@example.no").goes("/account/undo")
    action = kari.page.form_with("undo").action
    ola = walks_in(member(kari.provider).goes("/account")).presses("Change email address")
    form = ola.goes("/account/phone/remove").page
    ola.posts(action, {"form": "", "do": "undo"})

    assert form
    assert walks_in(elsewhere(kari, "kari.ny@example.no").goes("/account")).page.heading == "Security"


def resets(person: Person) -> Person:
    person.comes_from_portal().presses("Forgotten your password?").sends(email=person.email)
    person.sends("verify", code=person.mailed_code()).sends("sms")
    return person.sends("verify", code=person.phoned_code()).sends(new_password=NEW, confirm_password=NEW)


def _code(person: Person, address: str) -> str:
    person.provider.deliver()
    return person.provider.outside.code(address)
