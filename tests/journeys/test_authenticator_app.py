"""Signing in with an authenticator app (page spec §8.1, P-APP-CODE)."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest

from idp.clock import now
from tests.conftest import Clock
from tests.members import member, with_app
from tests.people import PASSWORD, Person, Provider


@pytest.fixture
def kari(provider: Provider, clock: Clock) -> Person:
    """Somebody with an account, in the middle of one of the app's thirty seconds."""
    clock.advance(15 - now().timestamp() % 30)
    return member(provider)


@pytest.fixture
def app(kari: Person) -> pyotp.TOTP:
    return with_app(kari)


def shows(app: pyotp.TOTP, *, steps: int = 0) -> str:
    """The code that the app shows now, or showed or will show so many steps from now."""
    return app.at(now() + timedelta(seconds=30 * steps))


def at_the_second_step(person: Person) -> Person:
    return person.comes_from_portal().sends(email=person.email, password=PASSWORD)


def test_who_has_an_app_is_asked_for_its_code_first(kari: Person, app: pyotp.TOTP) -> None:
    """SR-41, SR-62: the strongest factor; the phone takes its place only by the person's own choice."""
    at_the_second_step(kari)
    assert kari.page.heading == "Enter the code from your app"
    assert "Use the phone instead" in kari.page.links

    kari.sends("verify", code=shows(app))

    assert "code" in kari.redirected_to()


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_the_apps_clock_may_be_off_by_one_step(kari: Person, app: pyotp.TOTP, steps: int) -> None:
    """SR-36."""
    at_the_second_step(kari).sends("verify", code=shows(app, steps=steps))

    assert "code" in kari.redirected_to()


@pytest.mark.parametrize("steps", [-2, 2])
def test_and_by_no_more(kari: Person, app: pyotp.TOTP, steps: int) -> None:
    """SR-36."""
    at_the_second_step(kari).sends("verify", code=shows(app, steps=steps))

    assert kari.answer.status_code == 422
    assert "That code is not right. Use the code that the app shows now." in kari.page.text
    assert kari.page.heading == "Enter the code from your app"


def test_a_code_counts_once_and_no_older_one_after_it(kari: Person, app: pyotp.TOTP) -> None:
    """SR-36: also typed in another alphabet's digits; the step counts, not the text."""
    code, before = shows(app), shows(app, steps=-1)
    at_the_second_step(kari).sends("verify", code=code)
    again = kari.provider.person(email=kari.email, number=kari.number)

    for typed in (code, "".join(chr(0xFF10 + int(digit)) for digit in code), f"{code[:3]} {code[3:]}", before):
        at_the_second_step(again).sends("verify", code=typed)
        assert "That code has been used. Wait until the app shows a new one." in again.page.text


def test_a_clock_that_goes_back_revives_no_code(kari: Person, app: pyotp.TOTP, clock: Clock) -> None:
    """Requirements, section Q: a back-step of the clock."""
    code = shows(app)
    at_the_second_step(kari).sends("verify", code=code)
    clock.advance(-30)
    again = at_the_second_step(kari.provider.person(email=kari.email, number=kari.number))

    again.sends("verify", code=code)

    assert "That code has been used." in again.page.text


def test_the_phone_serves_whoever_chooses_it(kari: Person, app: pyotp.TOTP) -> None:
    at_the_second_step(kari).presses("Use the phone instead").sends("sms")
    kari.sends("verify", code=kari.phoned_code())

    assert "code" in kari.redirected_to()


def test_odd_input_costs_no_try(kari: Person, app: pyotp.TOTP) -> None:
    for typed in ("", "12345", "abcdef"):
        at_the_second_step(kari).sends("verify", code=typed)
        assert kari.answer.status_code == 422


def test_ten_wrong_codes_an_hour_and_the_app_must_wait(kari: Person, app: pyotp.TOTP) -> None:
    """SR-17: counted for the account, whichever journey."""
    at_the_second_step(kari)
    wrong = next(
        code for code in ("000000", "111111", "222222") if code not in {shows(app, steps=n) for n in (-1, 0, 1)}
    )
    for _ in range(10):
        kari.sends("verify", code=wrong)
    kari.sends("verify", code=shows(app))

    assert kari.answer.status_code == 429


def test_who_has_no_app_gets_no_page_for_one(kari: Person) -> None:
    at_the_second_step(kari)
    kari.goes(f"{kari.answer.request.path}?way=totp")
    assert kari.page.heading == "Confirm that it is you"

    form = kari.page.form_with("sms")
    kari.posts(form.action, {**form.fields, "way": "totp", "do": "verify", "code": "123456"})
    assert "code" not in (kari.answer.headers.get("Location") or "")


def test_the_token_says_what_was_proved(kari: Person, app: pyotp.TOTP) -> None:
    """SR-59, RFC 8176: an app's code is `otp`, and no text message."""
    at_the_second_step(kari).sends("verify", code=shows(app))
    claims = kari.provider.post("/introspect", {"token": kari.tokens()["access_token"]}).get_json()

    assert set(claims["amr"]) == {"pwd", "otp", "mfa"}
