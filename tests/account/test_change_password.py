"""S-PASSWORD (page spec §11): a new password while signed in."""

from __future__ import annotations

import pytest

from tests.conftest import Clock
from tests.members import account_id, member, same_browser, sessions_of
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)

NEW = "fire grå hester sover stille"


@pytest.fixture
def kari(provider: Provider) -> Person:
    """Somebody who has just signed in to her own page."""
    person = member(provider).goes("/account")
    return walks_in(person)


def walks_in(person: Person, password: str = PASSWORD) -> Person:
    person.sends(email=person.email, password=password).sends("sms")
    return person.sends("verify", code=person.phoned_code())


def changes(person: Person, **fields: str) -> Person:
    typed = {"password": PASSWORD, "new-password": NEW, "confirm-password": NEW, **fields}
    return person.sends("save", **{name: value for name, value in typed.items() if value})


def test_the_present_password_and_a_new_one_are_enough_soon_after_signing_in(kari: Person) -> None:
    """SR-11."""
    kari.presses("Change password")
    assert kari.page.heading == "Create a new password"

    changes(kari)

    assert kari.page.heading == "Security"
    assert "Your password is changed." in kari.page.text
    assert "Your password is changed." not in kari.goes("/account").page.text
    elsewhere = kari.provider.person(email=kari.email, number=kari.number)
    assert walks_in(elsewhere.goes("/account"), NEW).page.heading == "Security"


def test_a_wrong_present_password_is_said_at_its_field_and_changes_nothing(kari: Person) -> None:
    changes(kari.presses("Change password"), password="elleve blå elger drømmer")

    assert kari.answer.status_code == 422
    assert "Your current password is not right." in kari.page.text
    elsewhere = kari.provider.person(email=kari.email, number=kari.number)
    assert walks_in(elsewhere.goes("/account"), PASSWORD).page.heading == "Security"


def test_all_that_is_missing_is_said_at_once(kari: Person) -> None:
    changes(kari.presses("Change password"), **{"password": "", "new-password": "kort", "confirm-password": "kort"})

    assert "Enter your password." in kari.page.text
    assert "at least 12 characters" in kari.page.text


def test_the_same_password_is_no_new_one(kari: Person) -> None:
    changes(kari.presses("Change password"), **{"new-password": PASSWORD, "confirm-password": PASSWORD})

    assert "That is the password you already have. Choose another." in kari.page.text


def test_after_ten_minutes_it_must_be_proved_again_who_changes_it(kari: Person, clock: Clock) -> None:
    """SR-40: P-RECHECK, both factors; what was asked for is carried out after it, nothing asked twice."""
    clock.advance(11 * 60)
    kari.presses("Change password")
    assert kari.page.heading == "Confirm that it is you"

    kari.sends("sign-in", password=PASSWORD).sends("sms")
    kari.sends("verify", code=kari.phoned_code())
    assert kari.page.heading == "Create a new password"
    assert "Current password" not in kari.page.text

    changes(kari, password="")
    assert "Your password is changed." in kari.page.text


def test_who_takes_longer_than_that_over_the_page_proves_it_again(kari: Person, clock: Clock) -> None:
    kari.presses("Change password")
    clock.advance(11 * 60)
    changes(kari)

    assert kari.page.heading == "Confirm that it is you"


def test_leaving_changes_nothing(kari: Person) -> None:
    kari.presses("Change password").sends("cancel")

    assert kari.page.heading == "Security"
    assert "Your password is changed." not in kari.page.text


def test_the_recheck_takes_nobody_elses_password(kari: Person, clock: Clock) -> None:
    """Another account's owner who is at hand changes nothing of this one."""
    ola = member(kari.provider)
    clock.advance(11 * 60)
    kari.presses("Change password")
    form = kari.page.form_with("sign-in")
    kari.posts(form.action, {**form.fields, "do": "sign-in", "email": ola.email, "password": PASSWORD})

    assert kari.page.heading == "Confirm that it is you"
    assert "The email address or the password is not right." in kari.page.text


def test_other_devices_are_signed_out_unless_wanted_otherwise(kari: Person) -> None:
    """SR-11, SR-88."""
    other = kari.provider.person(email=kari.email, number=kari.number)
    walks_in(other.goes("/account"))
    assert sessions_of(kari) == 2

    kari.presses("Change password")
    form = kari.page.form_with("save")
    fields = {**form.fields, "password": PASSWORD, "new-password": NEW, "confirm-password": NEW, "do": "save"}
    kari.posts(form.action, {**fields, "others": ""})
    assert other.goes("/account").page.heading == "Security"

    kari.presses("Change password")
    changes(kari, **{"password": NEW, "new-password": PASSWORD, "confirm-password": PASSWORD, "others": "on"})
    assert other.goes("/account").page.heading == "Sign in"
    assert kari.goes("/account").page.heading == "Security"


def test_the_browser_gets_a_new_session(kari: Person) -> None:
    """SR-53."""
    before = kari.browser.get_cookie("__Host-session", domain="login.example")
    changes(kari.presses("Change password"))
    after = kari.browser.get_cookie("__Host-session", domain="login.example")

    assert before
    assert after
    assert before.value != after.value


def test_the_owner_hears_of_it(kari: Person) -> None:
    """SR-42: M-5."""
    changes(kari.presses("Change password"))
    kari.provider.deliver()

    assert "password was changed" in kari.provider.outside.messages(kari.email)[-1]["subject"]


def test_a_reset_overtakes_a_change_that_was_begun(kari: Person) -> None:
    """SR-63: what was proved before a reset is worth nothing after it."""
    kari.presses("Change password")
    owner = (
        kari.provider.person(email=kari.email, number=kari.number)
        .comes_from_portal()
        .presses("Forgotten your password?")
    )
    owner.sends(email=kari.email)
    owner.sends("verify", code=owner.mailed_code()).sends("sms")
    owner.sends("verify", code=owner.phoned_code()).sends(new_password=NEW, confirm_password=NEW)

    changes(kari, **{"new-password": "sju gule sykler ruller", "confirm-password": "sju gule sykler ruller"})

    assert kari.page.heading in ("Confirm that it is you", "You have been away for too long")
    assert walks_in(kari.provider.person(email=kari.email, number=kari.number).goes("/account"), NEW).sub == ""


def test_a_change_runs_in_no_sign_in_of_a_service(provider: Provider) -> None:
    """SR-44: a journey of a service is no way into a change of the account."""
    kari = member(provider)
    kari.signs_in()
    kari.comes_from_portal(prompt="login")
    journey_id = kari.answer.request.path.split("/")[2]

    for step in ("login", "second-step", "new-password"):
        kari.goes(f"/journey/{journey_id}/change-password/{step}")
        assert kari.answer.request.path.split("/")[3] == "sign-in"


def test_nobody_without_a_session_gets_there(provider: Provider) -> None:
    assert provider.person().goes("/account/password").page.heading == "Sign in"


def test_guesses_at_the_present_password_count_as_everywhere(kari: Person) -> None:
    """SR-26, SR-30: one counter on every door."""
    kari.presses("Change password")
    for _ in range(5):
        changes(kari, password="elleve blå elger drømmer")
    stranger = same_browser(kari)
    changes(kari)

    assert kari.answer.status_code == 429
    assert "before trying again" in kari.page.text
    assert account_id(stranger)
