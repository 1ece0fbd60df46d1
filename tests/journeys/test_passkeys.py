"""Signing in with a passkey, and making one on the way (page spec §8.1, §8.2; SR-37, SR-38, SR-41)."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from idp.services import accounts, passkeys
from idp.services import audit as trail
from tests.authenticators import Authenticator, encoded
from tests.conftest import Clock
from tests.members import account_id, member, same_browser
from tests.passkeys import asks, ceremony, makes, stops, uses, with_passkey
from tests.people import PASSWORD, Outside, Person, Provider, new_provider, settings_for

NEW = "fire grå hester sover stille"
embedded = pytest.mark.parametrize("stores", ["embedded"], indirect=True)


@pytest.fixture
def kari(provider: Provider) -> Person:
    return member(provider)


@pytest.fixture
def device(kari: Person) -> Authenticator:
    return with_passkey(kari)


def signals(kari: Person) -> dict[str, dict[str, object]]:
    """What the page tells password stores."""
    found = re.search(r'data-signals="([^"]*)"', kari.page.html)
    assert found
    told: dict[str, dict[str, object]] = json.loads(html.unescape(found[1]))
    return told


def removes(kari: Person) -> None:
    with kari.provider.app.app_context():
        known = passkeys.listed(account_id(kari))[0]
        assert passkeys.remove(account_id(kari), known.id, device="", except_sid=None)


def test_a_passkey_alone_is_both_steps(kari: Person, device: Authenticator) -> None:
    """SR-37: no address is typed; the token says what was proved (RFC 8176)."""
    uses(kari.comes_from_portal(), device)

    claims = kari.provider.post("/introspect", {"token": kari.tokens()["access_token"]}).get_json()
    assert claims["acr"] == "https://refeds.org/profile/mfa"
    assert set(claims["amr"]) == {"pop", "user", "mfa"}


@embedded
def test_the_field_offers_passkeys_and_without_a_script_nothing_else_is_seen(kari: Person) -> None:
    """Page spec §4, §7: absent, not broken."""
    page = kari.comes_from_portal().page.html
    assert 'autocomplete="username webauthn"' in page
    assert re.search(r"<form[^>]*data-ceremony=\"get\"[^>]* hidden>", page)
    assert "passkeys." in page
    kari.sends(email=kari.email, password=PASSWORD).sends("sms")
    assert "code" in kari.sends("verify", code=kari.phoned_code()).redirected_to()


@embedded
def test_what_was_stopped_is_said_with_a_way_on(kari: Person, device: Authenticator) -> None:
    stops(kari.comes_from_portal())
    assert "The sign-in was stopped. Try the passkey again, or sign in with your password" in kari.page.text
    uses(kari, device)
    assert "code" in kari.redirected_to()


@embedded
def test_a_passkey_that_was_removed_opens_nothing_and_its_keeper_hears(kari: Person, device: Authenticator) -> None:
    """SR-38; the Signal API lets the password store forget it."""
    removes(kari)
    uses(kari.comes_from_portal(), device)

    assert kari.answer.status_code == 422
    assert "This passkey does not belong to an account here. It may have been removed." in kari.page.text
    told = signals(kari)
    credential_id = encoded(device.keys[0].id)
    assert told == {"signalUnknownCredential": {"rpId": "login.example", "credentialId": credential_id}}
    kari.presses("Sign in with password").sends(email=kari.email, password=PASSWORD)
    assert kari.step == "second-step"


def test_removal_overtakes_a_sign_in_under_way(kari: Person, device: Authenticator, provider: Provider) -> None:
    """SR-63's sense: what was proved by a passkey that is gone counts for nothing, however late it goes."""
    other = provider.register(client_name="Ferie", first_party=False)
    kari.comes_from_portal(client_id=other.client.client_id)
    uses(kari, device)
    assert kari.step == "consent"
    removes(kari)

    kari.sends("share")

    assert kari.step == "login"


@embedded
def test_a_locked_account_stays_locked(kari: Person, device: Authenticator) -> None:
    """SR-60: and nothing tells the password store to forget the passkey."""
    with kari.provider.app.app_context():
        accounts.lock(account_id(kari))
    uses(kari.comes_from_portal(), device)
    assert "The sign-in was stopped." in kari.page.text
    assert "data-signals" not in kari.page.html


@pytest.mark.parametrize(
    "odd",
    [
        {"verified": False},
        {"origin": "https://badlogin.example"},
        {"rp": "example"},
        {"client_data": {"topOrigin": "https://evil.example"}},
        {"handle": b"somebody else"},
    ],
    ids=["not verified", "origin", "relying party", "framed", "handle"],
)
@embedded
def test_attacks_end_at_the_page_that_says_it_was_stopped(
    kari: Person, device: Authenticator, odd: dict[str, object]
) -> None:
    """SR-37, SR-38."""
    uses(kari.comes_from_portal(), device, **odd)
    assert kari.answer.status_code == 422
    assert "The sign-in was stopped." in kari.page.text


@embedded
def test_an_answer_serves_one_journey_of_one_browser_once(kari: Person, device: Authenticator) -> None:
    """SR-37: bound to the session and single use."""
    first, second = kari.comes_from_portal(), kari.provider.person().comes_from_portal()
    answer = device.get(asks(first, ceremony(first)).get_json())
    form = ceremony(second)
    second.posts(form.action, {**form.fields, "credential": answer})
    assert "The sign-in was stopped." in second.page.text
    form = ceremony(first)
    first.posts(form.action, {**form.fields, "credential": answer})
    assert "The sign-in was stopped." in first.page.text


@embedded
def test_options_are_for_the_page_that_was_drawn_for_this_browser(kari: Person) -> None:
    """SR-57: another browser, another site and a GET get none."""
    form = ceremony(kari.comes_from_portal())
    assert asks(kari.provider.person().goes("/help"), form).status_code == 403
    address = f"{form.action}/passkey"
    base = "https://login.example"
    assert kari.browser.get(address, base_url=base).status_code in (404, 405)
    assert kari.browser.post(address, base_url=base, data={"form": "x"}).status_code == 403
    headers = {"Sec-Fetch-Site": "cross-site"}
    told = {"form": form.fields["form"]}
    assert kari.browser.post(address, base_url=base, data=told, headers=headers).status_code == 403
    assert asks(kari, form).headers["Cache-Control"] == "no-store"


@embedded
def test_who_loads_options_again_and_again_is_asked_to_wait(kari: Person) -> None:
    """SR-33, SR-34."""
    form = ceremony(kari.comes_from_portal())
    answers = [asks(kari, form) for _ in range(61)]
    assert answers[59].status_code == 200
    assert answers[60].status_code == 429
    assert answers[60].headers["Retry-After"] == "300"


def test_the_second_step_by_a_passkey(kari: Person, device: Authenticator) -> None:
    """Offered beside the phone, which stays for devices that have no passkey; only one's own serves."""
    kari.comes_from_portal().sends(email=kari.email, password=PASSWORD)
    assert kari.page.heading == "Confirm that it is you"
    assert re.search(r"<p data-passkeys hidden><a[^>]*>Use passkey", kari.page.html)

    uses(kari.presses("Use passkey"), device)

    claims = kari.provider.post("/introspect", {"token": kari.tokens()["access_token"]}).get_json()
    assert {"pop", "mfa"} <= set(claims["amr"])


@embedded
def test_somebody_elses_passkey_is_no_second_step(kari: Person, device: Authenticator) -> None:
    """SR-38: not even one that the browser was not told of."""
    stranger = with_passkey(member(kari.provider))
    kari.comes_from_portal().sends(email=kari.email, password=PASSWORD).presses("Use passkey")
    uses(kari, stranger, key=stranger.keys[0])
    assert "The sign-in was stopped." in kari.page.text
    assert kari.presses("Use the phone instead").page.heading == "Confirm that it is you"


@embedded
def test_without_verification_it_follows_a_password_and_no_more(kari: Person, device: Authenticator) -> None:
    """SR-37: possession only, and the token does not say more."""
    kari.comes_from_portal().sends(email=kari.email, password=PASSWORD).presses("Use passkey")
    assert asks(kari, ceremony(kari)).get_json()["userVerification"] == "preferred"
    uses(kari, device, verified=False)

    claims = kari.provider.post("/introspect", {"token": kari.tokens()["access_token"]}).get_json()
    assert set(claims["amr"]) == {"pwd", "pop", "mfa"}


def resets(kari: Person) -> Person:
    """Up to the second step of a reset."""
    kari.comes_from_portal().presses("Forgotten your password?").sends(email=kari.email)
    return kari.sends("verify", code=kari.mailed_code())


@embedded
def test_in_a_reset_it_must_verify_since_no_password_stands_beside_it(kari: Person, device: Authenticator) -> None:
    """SR-37, SR-61."""
    resets(kari).presses("Use passkey")
    uses(kari, device, verified=False)
    assert "The sign-in was stopped." in kari.page.text
    uses(kari, device)
    assert kari.step == "new-password"


def test_a_phone_in_place_of_a_passkey_is_told(kari: Person, device: Authenticator) -> None:
    """SR-41: a weaker second step replaces no stronger one in silence."""
    kari.signs_in()
    kari.provider.deliver()
    assert kari.provider.outside.messages(kari.email)[-1]["subject"] == "Sign-in to Alumni by a weaker second step"
    with kari.provider.app.app_context():
        assert [event.reason for event in trail.newest(20) if event.event == "second-step.weaker"] == ["sms"]

    before = len(kari.provider.outside.messages(kari.email))
    uses(kari.comes_from_portal(prompt="login"), device)
    kari.provider.deliver()
    assert len(kari.provider.outside.messages(kari.email)) == before


@embedded
def test_a_passkey_gets_in_while_passwords_are_throttled(kari: Person, device: Authenticator) -> None:
    """SR-31: no lock-out weapon."""
    kari.comes_from_portal()
    for _ in range(6):
        kari.sends(email=kari.email, password="helt feil passord her")
    assert kari.answer.status_code == 429
    uses(kari.provider.person().comes_from_portal(), device)
    uses(kari.comes_from_portal(), device)
    assert "code" in kari.redirected_to()


def test_after_a_reset_a_passkey_is_offered_where_the_browser_can(kari: Person) -> None:
    """Page spec §8.2, P-PASSKEY-OFFER."""
    resets(kari).sends("sms")
    kari.sends("verify", code=kari.phoned_code())
    kari.sends(new_password=NEW, confirm_password=NEW, offer="yes")
    assert kari.page.heading == "Sign in faster next time"

    device = Authenticator()
    makes(kari, device)
    assert "Your passkey is created." in kari.page.text
    kari.sends("continue")

    assert "code" in kari.redirected_to()
    kari.provider.deliver()
    assert "New passkey at Alumni" in [mail["subject"] for mail in kari.provider.outside.messages(kari.email)]
    uses(kari.provider.person().comes_from_portal(), device)


@embedded
def test_not_now_goes_on_and_asks_no_more_for_half_a_year(kari: Person, clock: Clock) -> None:
    resets(kari).sends("sms")
    kari.sends("verify", code=kari.phoned_code())
    kari.sends(new_password=NEW, confirm_password=NEW, offer="yes").sends("not-now")
    assert "code" in kari.redirected_to()
    cookie = kari.browser.get_cookie("__Host-no-passkeys", domain="login.example")
    assert cookie
    assert cookie.max_age == 183 * 24 * 3600

    again = same_browser(kari)
    again.goes("/logout").sends("sign-out")
    clock.advance(3600)
    resets(again).sends("sms")
    again.sends("verify", code=again.phoned_code())
    again.sends(new_password=PASSWORD, confirm_password=PASSWORD, offer="yes")
    assert "code" in again.redirected_to()


@embedded
def test_without_a_word_of_the_script_nothing_is_offered(kari: Person) -> None:
    resets(kari).sends("sms")
    kari.sends("verify", code=kari.phoned_code())
    kari.sends(new_password=NEW, confirm_password=NEW)
    assert "code" in kari.redirected_to()


@embedded
def test_an_offer_that_was_left_open_makes_no_passkey(kari: Person, clock: Clock) -> None:
    """SR-40: whoever finds the page open later was not proved in the last minutes."""
    resets(kari).sends("sms")
    kari.sends("verify", code=kari.phoned_code())
    kari.sends(new_password=NEW, confirm_password=NEW, offer="yes")
    form = ceremony(kari)
    clock.advance(11 * 60)
    assert asks(kari, form).status_code == 409


@embedded
def test_what_was_stopped_can_be_tried_again_or_left(kari: Person) -> None:
    resets(kari).sends("sms")
    kari.sends("verify", code=kari.phoned_code())
    stops(kari.sends(new_password=NEW, confirm_password=NEW, offer="yes"))
    assert "No passkey was created. Try again now, or later under Security." in kari.page.text
    makes(kari, Authenticator(), verified=False)
    assert kari.answer.status_code == 422
    assert "code" in kari.sends("continue").redirected_to()


def signs_up(person: Person) -> Person:
    person.comes_from_portal().presses("Sign up now").sends(email=person.email)
    person.sends("verify", code=person.mailed_code())
    person.sends(new_password=PASSWORD, confirm_password=PASSWORD)
    person.sends("sms", country="NO", tel=person.number)
    return person.sends("verify", code=person.phoned_code(), offer="yes")


@embedded
def test_after_a_sign_up_it_is_offered_only_where_the_operator_says_so(
    stores: tuple[str, str], tmp_path: Path, outside: Outside, provider: Provider
) -> None:
    assert "code" in signs_up(provider.person()).redirected_to()
    folder = tmp_path / "other"
    folder.mkdir()
    there = (f"sqlite:///{folder}/idp.sqlite", f"sqlite:///{folder}/short.sqlite")
    told = settings_for(there, folder, outside, passkeys={"offer_after_sign_up": True})
    with new_provider(told, outside) as other:
        kari, device = signs_up(other.person()), Authenticator()
        assert kari.page.heading == "Sign in faster next time"
        makes(kari, device).sends("continue")
        assert "code" in kari.redirected_to()
        uses(other.person().comes_from_portal(), device)
        assert "code" in signs_up(other.person()).sends("not-now").redirected_to()


@embedded
def test_switched_off_there_are_none(stores: tuple[str, str], tmp_path: Path, outside: Outside) -> None:
    told = settings_for(stores, tmp_path, outside, passkeys={"enabled": False})
    with new_provider(told, outside) as provider:
        kari = member(provider)
        with_passkey(kari)
        page = kari.comes_from_portal().page.html
        assert 'autocomplete="username"' in page
        assert "data-ceremony" not in page
        kari.sends(email=kari.email, password=PASSWORD)
        assert "Use passkey" not in kari.page.text
        assert kari.goes("/.well-known/passkey-endpoints").answer.status_code == 404


@embedded
def test_browsers_find_the_origins_and_where_passkeys_are_managed(
    stores: tuple[str, str], tmp_path: Path, outside: Outside
) -> None:
    """WebAuthn L3 §5.11."""
    told = settings_for(stores, tmp_path, outside, passkeys={"origins": ["https://portal.example"]})
    with new_provider(told, outside) as provider:
        kari = provider.person()
        found = kari.goes("/.well-known/webauthn").answer.get_json()
        assert found == {"origins": ["https://login.example", "https://portal.example"]}
        assert kari.goes("/.well-known/passkey-endpoints").answer.get_json() == {
            "enroll": "https://login.example/account/passkeys",
            "manage": "https://login.example/account/passkeys",
        }
