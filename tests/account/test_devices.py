"""S-DEVICES (page spec §11): where the account is signed in, and signing out there (SR-56)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from idp.clock import now as present
from idp.rules.assurance import Proof
from idp.services import remembered_devices, sessions
from tests.conftest import Clock
from tests.members import account_id, member, sessions_of, with_app
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Mobile Safari/604.1"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"


@pytest.fixture
def kari(provider: Provider) -> Person:
    """Somebody who is signed in here, with a phone."""
    return walks_in(member(provider), IPHONE)


def walks_in(person: Person, agent: str) -> Person:
    person.headers["User-Agent"] = agent
    person.goes("/account").sends(email=person.email, password=PASSWORD).sends("sms")
    return person.sends("verify", code=person.phoned_code())


@pytest.fixture
def elsewhere(kari: Person) -> Person:
    """The same person on another device."""
    return walks_in(kari.provider.person(email=kari.email, number=kari.number), WINDOWS)


def test_each_sign_in_is_one_entry_with_this_one_first(kari: Person, elsewhere: Person) -> None:
    assert "2 signed in" in kari.goes("/account").page.text

    text = kari.presses("View devices").page.text

    assert text.index("Safari on iPhone (This device)") < text.index("Chrome on Windows")
    assert text.count("Last used") == text.count("Signed in") == 2
    assert "Safari on iPhone (This device)" not in elsewhere.goes("/account/devices").page.text


def test_one_device_is_signed_out_and_no_other(kari: Person, elsewhere: Person) -> None:
    form = kari.goes("/account/devices").page.form_with()
    kari.posts(
        form.action, {**form.fields, "sign-in": next(value for name, value in form.buttons if name == "sign-in")}
    )

    assert "That device is signed out." in kari.page.text
    assert "Chrome on Windows" not in kari.page.text
    assert elsewhere.goes("/account").page.heading == "Sign in"


def test_nobody_elses_sign_in_is_ended(kari: Person, provider: Provider) -> None:
    ola = walks_in(member(provider), WINDOWS)
    identity = account_id(ola)
    with provider.app.app_context():
        (of_ola,) = sessions.of_account(identity)
    elsewhere = walks_in(provider.person(email=kari.email, number=kari.number), WINDOWS)
    form = kari.goes("/account/devices").page.form_with()
    kari.posts(form.action, {**form.fields, "sign-in": of_ola.sid})

    assert ola.goes("/account").page.heading == "Security"
    assert elsewhere.goes("/account").page.heading == "Security"


def test_all_others_are_signed_out_and_what_this_one_gave_goes_on(kari: Person, elsewhere: Person) -> None:
    tokens = kari.comes_from_portal().tokens()

    kari.goes("/account/devices").sends("end-others")

    assert "All other devices are signed out." in kari.page.text
    assert elsewhere.goes("/account").page.heading == "Sign in"
    assert kari.provider.refresh(tokens["refresh_token"]).status_code == 200


def test_signing_out_everywhere_ends_this_one_too_and_every_token(kari: Person, elsewhere: Person) -> None:
    """SR-88, SR-108."""
    tokens = elsewhere.comes_from_portal().tokens()

    kari.goes("/account/devices").sends("end-all")

    assert kari.page.heading == "You are signed out"
    assert kari.answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert sessions_of(kari) == 0
    assert kari.goes("/account").page.heading == elsewhere.goes("/account").page.heading == "Sign in"
    assert kari.provider.refresh(tokens["refresh_token"]).status_code == 400


def test_a_device_that_was_idle_for_too_long_is_not_listed(kari: Person, elsewhere: Person, clock: Clock) -> None:
    """SR-55: what nobody can go on with is no sign-in."""
    clock.advance(20 * 60)
    kari.goes("/account")
    clock.advance(15 * 60)

    text = kari.goes("/account/devices").page.text
    assert "Chrome on Windows" not in text
    assert "Sign out all others" not in text


def test_the_password_page_has_the_address_that_password_managers_know(kari: Person) -> None:
    """https://w3c.github.io/webappsec-change-password-url/."""
    assert kari.goes("/.well-known/change-password").page.heading == "Create a new password"


def test_whoever_has_only_the_phone_is_warned(kari: Person) -> None:
    assert "You have only the phone." in kari.goes("/account").page.text
    with_app(kari)
    assert "You have only the phone." not in kari.goes("/account").page.text


def test_a_remembered_device_is_listed_and_forgotten_by_its_owner_alone(kari: Person, provider: Provider) -> None:
    """SR-43."""
    mine, of_ola = (remembered(one) for one in (kari, member(provider)))

    assert "Remembered devices" in kari.goes("/account/devices").page.text
    for one in (of_ola, mine):
        form = next(form for form in kari.page.forms if form.action.endswith("/forget"))
        kari.posts(form.action, {**form.fields, "device": one})
        assert ("Remembered devices" in kari.page.text) == (one == of_ola)


def remembered(person: Person) -> str:
    """Let this person have a device remembered; its id."""
    identity = account_id(person)
    with person.provider.app.app_context():
        now = present()
        proof = Proof(method="sms", at=now, until=now + timedelta(hours=1))
        remembered_devices.remember(identity, held=None, device="Safari on iPhone", proved=proof, days=30)
        return remembered_devices.of_account(identity)[0].id
