"""Remembered devices (SR-43, page spec §8.1 P-DEVICE-TRUST): where the operator offers them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.assembly import Parts
from idp.factors.recovery_code import RecoveryCode
from idp.rules.passkeys import NewPasskey
from idp.services import accounts as account_service
from idp.services import credentials, passkeys, remembered_devices, second_factors, sessions
from idp.services.remembered_devices import RememberedDevice
from tests.conftest import Clock
from tests.members import account_id, member, with_app
from tests.people import PASSWORD, Outside, Person, Provider, new_provider, settings_for

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)

DAY = 24 * 3600
NAME = "__Host-device"
BOX = "Do not ask for a code on this device for the next 30 days"


@pytest.fixture
def provider(stores: tuple[str, str], tmp_path: Path, outside: Outside) -> Iterator[Provider]:
    """A provider that offers it."""
    with new_provider(settings_for(stores, tmp_path, outside, sessions={"remember_device": 30}), outside) as made:
        yield made


@pytest.fixture
def kari(provider: Provider) -> Person:
    """Somebody who has had this browser remembered, and closed it since."""
    return remembers(member(provider))


def remembers(person: Person) -> Person:
    to_the_code(person).sends("verify", code=person.phoned_code(), remember="on")
    assert "code" in person.redirected_to()
    return closes(person)


def to_the_code(person: Person) -> Person:
    return person.comes_from_portal().sends(email=person.email, password=PASSWORD).sends("sms")


def closes(person: Person) -> Person:
    """The browser is closed and opened again: only what has an end of its own is left."""
    for name in ("__Host-session", "__Host-browser"):
        person.browser.delete_cookie(name, domain="login.example")
    return person


def comes_again(person: Person, **parameters: str) -> Person:
    return person.comes_from_portal(**parameters).sends(email=person.email, password=PASSWORD)


def is_let_in(person: Person) -> bool:
    """Whether the password alone was enough."""
    return "code=" in (person.answer.headers.get("Location") or "")


def held(person: Person) -> str:
    cookie = person.browser.get_cookie(NAME, domain="login.example")
    return cookie.value if cookie else ""


def remembered(person: Person) -> list[RememberedDevice]:
    identity = account_id(person)
    with person.provider.app.app_context():
        return remembered_devices.of_account(identity)


def test_the_password_is_enough_the_next_time(kari: Person) -> None:
    assert is_let_in(comes_again(kari))


def test_it_is_offered_where_a_code_is_typed_and_never_ticked(provider: Provider) -> None:
    kari = to_the_code(member(provider))

    assert BOX in kari.page.text
    assert "Do not use on a shared device." in kari.page.text
    kari.sends("verify", code=kari.phoned_code())
    assert held(kari) == ""
    assert not is_let_in(comes_again(closes(kari)))


def test_the_app_offers_it_too(provider: Provider) -> None:
    kari = member(provider)
    app = with_app(kari)
    kari.comes_from_portal().sends(email=kari.email, password=PASSWORD).sends("verify", code=app.now(), remember="on")

    assert is_let_in(comes_again(closes(kari)))


@pytest.mark.parametrize("days", [0])
def test_where_the_operator_does_not_offer_it_nothing_is_remembered(
    stores: tuple[str, str], tmp_path: Path, outside: Outside, days: int
) -> None:
    with new_provider(settings_for(stores, tmp_path, outside, sessions={"remember_device": days}), outside) as made:
        kari = to_the_code(member(made))
        assert "Do not ask for a code" not in kari.page.text
        kari.sends("verify", code=kari.phoned_code(), remember="on")

        assert held(kari) == ""
        assert remembered(kari) == []


def test_the_cookie_is_random_host_bound_and_ends_by_itself(provider: Provider) -> None:
    """SR-43, SR-54; 63B §5.1: a secret of the server's making, out of reach of scripts, kept as a digest alone."""
    kari = to_the_code(member(provider))
    form = kari.page.form_with("verify")
    sent = {**form.fields, "do": "verify", "code": kari.phoned_code(), "remember": "on"}
    answer = kari.browser.post(form.action, base_url="https://login.example", data=sent, headers=kari.headers)
    told = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith(NAME))

    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", f"Max-Age={30 * DAY}"} <= set(told.split("; "))
    assert len(held(kari)) >= 43
    assert held(kari).encode() not in everything_kept(provider)


def everything_kept(provider: Provider) -> bytes:
    database = Path(provider.parts.settings.database.url.removeprefix("sqlite:///"))
    return b"".join(path.read_bytes() for path in database.parent.glob("*.sqlite*"))


def test_after_thirty_days_a_code_is_asked_for_wherever_the_clock_goes_then(kari: Person, clock: Clock) -> None:
    clock.advance(30 * DAY - 60)
    assert is_let_in(comes_again(kari))
    clock.advance(120)
    assert not is_let_in(comes_again(closes(kari)))
    clock.advance(-20 * DAY)
    assert not is_let_in(comes_again(closes(kari)))


def test_using_it_makes_it_last_no_longer(kari: Person, clock: Clock) -> None:
    for _ in range(3):
        clock.advance(9 * DAY)
        assert is_let_in(comes_again(closes(kari)))
    clock.advance(4 * DAY)
    assert not is_let_in(comes_again(closes(kari)))


def test_what_runs_out_is_deleted(kari: Person, clock: Clock) -> None:
    clock.advance(31 * DAY)
    parts: Parts = kari.provider.parts
    with kari.provider.app.app_context():
        for chore in parts.chores:
            chore()
        assert remembered_devices.expire() == 0
    clock.advance(-31 * DAY)
    assert remembered(kari) == []


def test_a_clock_set_back_before_it_was_proved_serves_nothing(kari: Person, clock: Clock) -> None:
    """Requirements, section Q."""
    clock.advance(-DAY)
    assert not is_let_in(comes_again(kari))


def test_it_serves_one_account_alone(kari: Person) -> None:
    """SR-43: somebody else at the same browser is asked for a code."""
    ola = member(kari.provider)
    beside = Person(kari.provider, kari.browser, email=ola.email, number=ola.number)

    assert not is_let_in(comes_again(beside))


def test_a_browser_may_be_remembered_by_two_and_gets_a_new_value(kari: Person) -> None:
    """A value that was planted in the browser beforehand serves nobody afterwards."""
    ola, planted = member(kari.provider), held(kari)
    beside = remembers(Person(kari.provider, kari.browser, email=ola.email, number=ola.number))
    assert held(kari) != planted
    assert is_let_in(comes_again(beside))
    assert is_let_in(comes_again(closes(kari)))

    thief = kari.provider.person(email=ola.email, number=ola.number)
    thief.browser.set_cookie(NAME, planted, domain="login.example")
    assert not is_let_in(comes_again(thief))


def test_another_browser_is_asked(kari: Person) -> None:
    assert not is_let_in(comes_again(kari.provider.person(email=kari.email, number=kari.number)))


@pytest.mark.parametrize("parameters", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "3600"}], ids=str)
def test_whoever_must_be_proved_lately_proves_both(kari: Person, parameters: dict[str, str]) -> None:
    """SR-43, SR-58: neither a young one nor one behind a session that is open."""
    assert not is_let_in(comes_again(kari, **parameters))
    comes_again(closes(kari))
    assert is_let_in(kari)
    assert not is_let_in(comes_again(kari, **parameters))


def test_a_change_of_the_account_takes_a_real_second_step(kari: Person) -> None:
    """SR-40, SR-43."""
    kari.goes("/account").sends(email=kari.email, password=PASSWORD)
    assert kari.page.heading == "Security"

    kari.presses("Change password")
    assert kari.step == "second-step"


def test_a_reset_takes_a_real_second_step(kari: Person) -> None:
    kari.comes_from_portal().presses("Forgotten your password?").sends(email=kari.email)
    kari.sends("verify", code=kari.mailed_code())

    assert kari.step == "second-step"
    assert BOX not in kari.sends("sms").page.text


def test_the_token_tells_of_no_phone_and_when_the_step_was_really_done(kari: Person, clock: Clock) -> None:
    """SR-59."""
    clock.advance(DAY)
    comes_again(kari)
    token = kari.tokens()["access_token"]
    claims = kari.provider.post("/introspect", {"token": token}).get_json()

    assert set(claims["amr"]) == {"pwd", "mfa"}
    assert claims["acr"] == "https://refeds.org/profile/mfa"
    assert claims["auth_time"] < clock.now().timestamp() - DAY + 60


NEW_PASSKEY = NewPasskey(
    credential_id=b"new", public_key=b"k", sign_count=0, aaguid="", may_be_synced=False, is_synced=False
)
CHANGES = {
    "a new password": lambda one, parts: credentials.replace_password(one, parts.hashing.make(PASSWORD)),
    "a new password, sessions kept": lambda one, parts: credentials.replace_password(
        one, parts.hashing.make(PASSWORD), keep_sessions=True
    ),
    "a new phone": lambda one, _: account_service.set_phone(one, {"e164": "+4794000000", "takes_sms": "yes"}),
    "a factor": lambda one, _: credentials.factor_changed(one, "totp"),
    "a passkey": lambda one, _: passkeys.add(one, NEW_PASSKEY, device=""),
    "an app": lambda one, _: second_factors.keep_app(one, "A" * 32, step=0, device=""),
    "recovery codes": lambda one, parts: second_factors.keep_codes(
        one, [RecoveryCode(parts.settings.limits, parts.hashing).make(one)[0].kept], device=""
    ),
    "signed out everywhere": lambda one, _: sessions.end_all(one),
    "locked": lambda one, _: (account_service.lock(one), account_service.unlock(one)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_dies_with_any_change_of_password_or_factor(kari: Person, change: object) -> None:
    """SR-43."""
    assert callable(change)
    identity = account_id(kari)
    with kari.provider.app.app_context():
        change(identity, kari.provider.parts)

    assert remembered(kari) == []
    assert not is_let_in(comes_again(kari))


def test_its_owner_sees_it_and_takes_it_back(kari: Person) -> None:
    ola = member(kari.provider)
    (one,) = remembered(kari)
    with kari.provider.app.app_context():
        assert remembered_devices.forget(account_id(ola), one.id) is False
        assert remembered_devices.forget(account_id(kari), one.id) is True

    assert not is_let_in(comes_again(kari))


def test_a_planted_box_on_another_page_remembers_nothing(provider: Provider) -> None:
    """SR-50: the wish counts where it is offered."""
    kari = member(provider).comes_from_portal()
    kari.sends(email=kari.email, password=PASSWORD, remember="on").sends("sms", remember="on")
    kari.sends("verify", code=kari.phoned_code())

    assert held(kari) == ""
