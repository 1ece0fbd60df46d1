"""S-PHONE (page spec §11): another number for codes, or none."""

from __future__ import annotations

import pytest

from idp.stores.durable import authenticator_apps
from tests.conftest import Clock
from tests.members import account_id, member, sessions_of, with_app
from tests.moves import changes_phone, mails
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)

NUMBER = "+4797123467"


@pytest.fixture
def kari(provider: Provider) -> Person:
    """Somebody who has just signed in to her own page."""
    return walks_in(member(provider).goes("/account"))


def walks_in(person: Person) -> Person:
    person.sends(email=person.email, password=PASSWORD).sends("sms")
    return person.sends("verify", code=person.phoned_code())


def elsewhere(person: Person, number: str = "") -> Person:
    return person.provider.person(email=person.email, number=number or person.number)


def test_the_new_number_is_proved_and_gets_the_codes_from_then_on(kari: Person) -> None:
    changes_phone(kari, NUMBER)

    assert kari.page.heading == "Security"
    assert "Your phone number is changed." in kari.page.text
    assert "ends in 67" in kari.page.text
    assert walks_in(elsewhere(kari, NUMBER).goes("/account")).page.heading == "Security"


def test_the_messages_say_what_they_are_for(kari: Person) -> None:
    """SR-42, page spec §12.4: T-2 to the new number, T-3 to the old one, M-8 by mail."""
    changes_phone(kari, NUMBER)

    assert "confirms your new phone number with Alumni" in mails(kari.provider, NUMBER)[-1]["text"]
    assert "changed to one ending in 67" in mails(kari.provider, kari.number)[-1]["text"]
    assert mails(kari.provider, kari.email)[-1]["subject"] == "Your Alumni phone number was changed"


def test_until_the_code_is_typed_the_old_number_serves(kari: Person) -> None:
    kari.presses("Change phone number").sends("sms", country="NO", tel=NUMBER).sends("verify", code="000000")
    assert kari.answer.status_code == 422

    assert walks_in(elsewhere(kari).goes("/account")).page.heading == "Security"


def test_a_code_to_the_old_number_proves_no_new_one(kari: Person) -> None:
    """SR-15: bound to its exact destination."""
    other = elsewhere(kari).goes("/account")
    other.sends(email=other.email, password=PASSWORD).sends("sms")
    code = other.phoned_code()
    kari.presses("Change phone number").sends("sms", country="NO", tel=NUMBER).sends("verify", code=code)

    assert kari.answer.status_code == 422


def test_old_proofs_do_not_serve(kari: Person, clock: Clock) -> None:
    """SR-40."""
    clock.advance(11 * 60)

    assert kari.presses("Change phone number").page.heading == "Confirm that it is you"


def test_whoever_else_is_signed_in_is_signed_out(kari: Person) -> None:
    """ASVS 7.4.3: a factor was replaced."""
    other = walks_in(elsewhere(kari).goes("/account"))
    changes_phone(kari, NUMBER)

    assert other.goes("/account").page.heading == "Sign in"
    assert sessions_of(kari) == 1


def test_a_change_that_was_begun_elsewhere_falls_with_the_old_number(kari: Person, clock: Clock) -> None:
    """What a code to the number of before has proved is worth nothing for another change."""
    clock.advance(11 * 60)
    other = walks_in(elsewhere(kari).goes("/account"))
    kari.presses("Change email address").sends("sign-in", password=PASSWORD).sends("sms")
    kari.sends("verify", code=kari.phoned_code()).sends("send", email="kari.ny@example.no")
    clock.advance(31)
    changes_phone(other, NUMBER)

    kari.provider.deliver()
    kari.sends("verify", code=kari.provider.outside.code("kari.ny@example.no"))

    assert kari.page.heading == "Confirm that it is you"


def test_leaving_changes_nothing(kari: Person) -> None:
    kari.presses("Change phone number").sends("cancel")

    assert kari.page.heading == "Security"
    assert f"ends in {kari.number[-2:]}" in kari.page.text


def test_the_only_second_step_stays(kari: Person) -> None:
    """SR-62: the page says why, and a form that was never drawn does nothing."""
    kari.presses("Remove phone number")
    assert "The phone is the only extra security step you have." in kari.page.text
    kari.posts("/account/phone/remove", {"form": "", "do": "remove"})

    assert f"ends in {kari.number[-2:]}" in kari.goes("/account").page.text


def test_who_has_an_app_may_sign_in_without_a_phone(kari: Person) -> None:
    app = with_app(kari)
    kari.presses("Remove phone number").sends("remove")

    assert "Your phone number is removed." in kari.page.text
    assert "no longer gets codes for signing in" in mails(kari.provider, kari.number)[-1]["text"]
    again = elsewhere(kari).goes("/account").sends(email=kari.email, password=PASSWORD)
    assert "Use the phone instead" not in again.page.links
    assert again.sends("verify", code=app.now()).page.heading == "Security"


def test_where_the_app_goes_meanwhile_the_phone_stays(kari: Person, clock: Clock) -> None:
    """Judged once more when it goes: an account is never left without a second step."""
    with_app(kari)
    clock.advance(11 * 60)
    kari.presses("Remove phone number").sends("remove")
    kari.sends("sign-in", password=PASSWORD).presses("Use the phone instead").sends("sms")
    identity = account_id(kari)
    with kari.provider.app.app_context():
        authenticator_apps.remove(identity)
    kari.sends("verify", code=kari.phoned_code())

    assert "Your phone number is removed." not in kari.page.text
    assert f"ends in {kari.number[-2:]}" in kari.page.text
