"""What a code is bound to and until when it counts (SR-13, 16, 19, 21), and how a password is kept (SR-7)."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher, extract_parameters
from werkzeug.datastructures import MultiDict

from idp.services import accounts
from idp.stores.durable import credentials
from tests.conftest import Clock
from tests.members import member
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)

OURS = "https://login.example"


@pytest.fixture
def kari(provider: Provider) -> Person:
    """Somebody at the code page of a sign-in."""
    return member(provider).comes_from_portal()


def at_the_code(person: Person) -> Person:
    return person.sends(email=person.email, password=PASSWORD).sends("sms")


def test_an_old_verifier_is_made_anew_at_the_next_sign_in(provider: Provider) -> None:
    """SR-7: with a pepper and the present parameters; the password stays the one it was."""
    kari = provider.person()
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with provider.app.app_context():
        kari.sub = accounts.bring_in(email=kari.email, password_hash=weak, locale="en")
    kari.comes_from_portal().sends(email=kari.email, password=PASSWORD)

    with provider.app.app_context():
        pepper_id, _, encoded = (credentials.verifier_of(kari.sub) or "").partition("$")
    made = extract_parameters(encoded)
    wanted = provider.parts.settings.passwords
    assert (made.memory_cost, made.time_cost) == (wanted.argon2_memory_kib, wanted.argon2_passes)
    assert made.type.name == "ID"
    assert pepper_id == provider.parts.vault.pepper("")[0]
    again = provider.person(email=kari.email).comes_from_portal()
    assert again.sends(email=kari.email, password=PASSWORD).page.heading == "Finish signing up"


@pytest.mark.parametrize(("seconds", "counts"), [(595, True), (601, False)])
def test_a_code_by_text_message_counts_for_ten_minutes(
    kari: Person, clock: Clock, seconds: int, *, counts: bool
) -> None:
    """SR-13: by the server's clock, whatever the page shows."""
    at_the_code(kari)
    code = kari.phoned_code()
    clock.advance(seconds)
    kari.sends("verify", code=code)

    assert ("code" in (kari.answer.headers.get("Location") or "")) == counts
    if not counts:
        assert "The code has run out. Ask for a new one." in kari.page.text


def test_a_clock_that_goes_back_revives_no_used_code(kari: Person, clock: Clock) -> None:
    """SR-13, requirements section Q."""
    at_the_code(kari)
    code = kari.phoned_code()
    kari.sends("verify", code=code)
    clock.advance(-300)
    again = kari.provider.person(email=kari.email, number=kari.number).comes_from_portal()
    at_the_code(again)
    again.sends("verify", code=code)

    assert "code" not in (again.answer.headers.get("Location") or "")


@pytest.mark.parametrize("field", ["tel", "to", "destination", "phone", "number", "email"])
def test_no_field_of_a_request_says_where_a_code_goes(kari: Person, field: str) -> None:
    """SR-16: the number on the account, and no other."""
    kari.sends(email=kari.email, password=PASSWORD)
    form = kari.page.form_with("sms")
    stranger = "+4799887766" if field != "email" else "mallory@example.no"
    kari.posts(form.action, {**form.fields, "do": "sms", field: stranger})

    assert kari.phoned_code()
    assert kari.provider.outside.messages(stranger) == []


def test_asking_again_starts_no_new_count_of_tries(kari: Person, clock: Clock) -> None:
    """SR-17, SR-19: tries are those of the challenge, whichever of its codes is typed."""
    at_the_code(kari)
    wrong = "000000" if kari.phoned_code() != "000000" else "111111"
    for _ in range(3):
        kari.sends("verify", code=wrong)
    clock.advance(31)
    kari.sends("sms").sends("verify", code=wrong)

    assert "You have 1 try left." in kari.page.text


@pytest.mark.parametrize("typed", ["", "12 34 5", "1234567", "abcdef", "12345é", "[123456]", '{"code":"123456"}'])
def test_what_is_no_code_is_said_and_proves_nothing(kari: Person, typed: str) -> None:
    """SR-21."""
    at_the_code(kari).sends("verify", code=typed)

    assert kari.answer.status_code == 422
    assert kari.step == "second-step"


def test_a_code_that_comes_twice_is_no_form(kari: Person) -> None:
    """SR-21, SR-73: no list of codes is tried."""
    at_the_code(kari)
    form = kari.page.form_with("verify")
    code = kari.phoned_code()
    fields = MultiDict({**form.fields, "do": "verify"})
    fields.setlist("code", ["000000", code])
    answer = kari.browser.post(form.action, base_url=OURS, data=fields)

    assert answer.status_code == 400


def test_a_body_of_json_is_no_form(kari: Person) -> None:
    """SR-21."""
    at_the_code(kari)
    form = kari.page.form_with("verify")
    told = {**form.fields, "do": "verify", "code": kari.phoned_code()}
    answer = kari.browser.post(form.action, base_url=OURS, json=told)

    assert "code=" not in answer.headers.get("Location", "")
    assert kari.comes_from_portal().page.heading == "Sign in"
