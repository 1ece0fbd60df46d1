"""What the page specification says of all pages (§7) and of single ones (§8), walked without script."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from idp.services import credentials
from tests.conftest import Clock
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)
"""Words and ways of pages have nothing to do with where things are kept; walks on both pairs are in other files."""

GOOD = {"new_password": PASSWORD, "confirm_password": PASSWORD}


def at_second_step(provider: Provider, **about: str) -> Person:
    """Somebody with an account, who has just typed the right password in a new browser."""
    known = provider.person().is_signed_in()
    with provider.app.app_context():
        hashed = provider.parts.hashing.make(PASSWORD)
        credentials.replace_password(known.sub, hashed)
    someone = provider.person(email=known.email, number=known.number, **about).comes_from_portal()
    return someone.sends(email=known.email, password=PASSWORD)


def at_password(provider: Provider) -> Person:
    kari = provider.person().comes_from_portal().presses("Sign up now")
    return kari.sends(email=kari.email).sends("verify", code=kari.mailed_code())


def buttons(person: Person) -> list[str]:
    """The buttons of the page in their order; the first is what Enter presses."""
    return [value for form in person.page.forms for _, value in form.buttons]


# A message that could not be sent: the other way is open at once (page spec §7)


def test_after_a_failed_text_message_the_call_comes_at_once(provider: Provider) -> None:
    kari = at_second_step(provider)
    provider.outside.fault("sms", "refuse")
    try:
        kari.sends("sms")
        provider.deliver()
        kari.goes(kari.answer.request.path)
    finally:
        provider.outside.fault("sms", "none")

    assert "We could not send the text message." in kari.page.text
    assert buttons(kari)[0] == "voice"
    assert "Wait" not in kari.page.text
    kari.sends("voice")
    assert kari.answer.status_code == 200
    assert kari.page.heading == "Enter the code from the phone call"
    assert "code" in kari.sends("verify", code=kari.phoned_code()).redirected_to()


def test_after_a_failed_mail_the_address_can_be_changed_and_a_new_code_comes_at_once(provider: Provider) -> None:
    kari = provider.person().comes_from_portal().presses("Sign up now")
    provider.outside.fault("email", "refuse")
    try:
        kari.sends(email=kari.email)
        provider.deliver()
        kari.goes(kari.answer.request.path)
    finally:
        provider.outside.fault("email", "none")

    assert "We could not send the email. Check the address" in kari.page.text
    assert kari.page.links["Change the email address"].endswith("/email")
    assert kari.sends("resend").answer.status_code == 200
    assert kari.sends("verify", code=kari.mailed_code()).step == "password"


@pytest.mark.parametrize("told_today", [False, True], ids=["first-time", "second-time"])
def test_a_failed_mail_does_not_tell_who_has_an_account(provider: Provider, told_today: bool) -> None:
    """SR-47: an unknown address gets one mail a day, so what became of it would tell."""
    known = provider.person().is_signed_in().email
    unknown = provider.person().email
    if told_today:
        for email in (known, unknown):
            provider.person().comes_from_portal().presses("Forgotten your password?").sends(email=email)
        provider.deliver()
    provider.outside.fault("email", "refuse")
    try:
        pages = [_page_after_a_failed_mail(provider, email) for email in (known, unknown)]
    finally:
        provider.outside.fault("email", "none")

    assert pages[0] == pages[1]
    assert "We could not send" not in pages[0]


def _page_after_a_failed_mail(provider: Provider, email: str) -> str:
    person = provider.person().comes_from_portal().presses("Forgotten your password?").sends(email=email)
    provider.deliver()
    text = person.goes(person.answer.request.path).page.text.replace(email, "ADDRESS")
    return re.sub(r"Wait \d+ seconds", "Wait SOME seconds", text)  # by when one looks, not by whom one asks for


# Too many codes (P-WAIT)


def test_too_many_codes_lead_to_the_one_that_still_counts(provider: Provider, clock: Clock) -> None:
    kari = provider.person().comes_from_portal().presses("Sign up now").sends(email=provider.person().email)
    while kari.answer.status_code == 200:
        clock.advance(121)
        kari.sends("resend")

    assert kari.answer.status_code == 429
    assert kari.page.heading == "You need to wait a little"
    assert "The last code is still valid." in kari.page.text
    assert "We have sent a new code" not in kari.page.text
    assert kari.presses("Enter the code").step == "email-code"


def test_who_has_no_code_yet_is_not_told_of_one(provider: Provider) -> None:
    address = provider.person().email
    kari = provider.person()
    for _ in range(7):
        kari.comes_from_portal().presses("Sign up now").sends(email=address)

    assert kari.page.heading == "You need to wait a little"
    assert "still valid" not in kari.page.text
    assert kari.presses("Try again").step == "email"


# Nothing that was typed is lost or asked for twice (page spec §4, §7; WCAG 3.3.7)


def test_a_rejected_sign_in_hands_its_address_on(provider: Provider) -> None:
    kari = provider.person().comes_from_portal()
    kari.sends(email=kari.email, password="not the right one")
    login = kari.answer.request.path

    assert kari.presses("Forgotten your password?").page.form_with("send").fields["email"] == kari.email
    assert kari.goes(login).page.form_with("sign-in").fields["email"] == kari.email
    assert kari.presses("Sign up now").page.form_with("send").fields["email"] == kari.email


def test_a_rejected_number_is_still_there_after_back(provider: Provider) -> None:
    kari = at_password(provider).sends(**GOOD)
    kari.sends("sms", country="SE", tel="070 12")

    form = kari.goes(kari.answer.request.path).page.form_with("sms")

    assert (form.fields["country"], form.fields["tel"]) == ("SE", "070 12")


# Sign-up


def test_enter_after_correcting_a_likely_slip_sends_what_stands_there(provider: Provider) -> None:
    """The suggestion has a form of its own: Enter in the field never takes it."""
    kari = provider.person().comes_from_portal().presses("Sign up now")
    kari.sends(email="kari@gmial.com")
    assert "Did you mean kari@gmail.com?" in kari.page.text

    kari.sends("send", email=kari.email)

    assert kari.email in kari.page.text


@pytest.mark.parametrize(("button", "taken"), [("use-suggestion", "kari@gmail.com"), ("keep", "kari@gmial.com")])
def test_a_likely_slip_is_a_question(provider: Provider, button: str, taken: str) -> None:
    kari = provider.person().comes_from_portal().presses("Sign up now").sends(email="kari@gmial.com")

    kari.sends(button)

    assert kari.step == "email-code"
    assert taken in kari.page.text


def test_two_empty_password_fields_have_a_message_each(provider: Provider) -> None:
    """Page spec §9.2."""
    kari = at_password(provider).sends(new_password="", confirm_password="")

    assert kari.page.html.count('aria-invalid="true"') == 2
    assert {"#new-password", "#confirm-password"} <= set(re.findall(r'href="(#[a-z-]+)"', kari.page.html))


def test_a_code_page_says_until_when_for_the_script(provider: Provider) -> None:
    """Page spec §6: limits as plain words and as <time>."""
    kari = provider.person().comes_from_portal().presses("Sign up now").sends(email=provider.person().email)

    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:00\+00:00" data-until', kari.page.html)
    assert "The code is valid for 30 minutes." in kari.page.text


# The phone that is gone (P-LOST-PHONE)


def test_the_lost_phone_page_names_the_ways_and_leads_back(provider: Provider) -> None:
    kari = at_second_step(provider)
    kari.presses("I no longer have this number")

    assert kari.page.heading == "Cannot use your phone?"
    assert provider.parts.settings.service.support_phone in kari.page.text
    assert "ending in" not in kari.page.text
    assert kari.presses("Back to sign in").step == "second-step"


def test_the_lost_phone_page_is_only_for_the_journey_s_own_browser(provider: Provider) -> None:
    kari = at_second_step(provider).presses("I no longer have this number")
    stranger = provider.person().goes("/").goes(kari.answer.request.path)

    assert stranger.page.heading == "You have been away for too long"


# After the end (P-ALREADY, P-LOGGED-OUT)


def already(provider: Provider) -> Person:
    kari = at_second_step(provider).sends("sms")
    step = kari.answer.request.path
    kari.sends("verify", code=kari.phoned_code())
    return kari.goes(step)


def test_already_signed_in_lets_its_form_end_at_the_client(provider: Provider) -> None:
    """Page spec §3: Chromium holds redirects to form-action, too."""
    kari = already(provider)

    assert kari.page.heading == "You are already signed in"
    assert "form-action 'self' https://portal.example;" in kari.answer.headers["Content-Security-Policy"]


def test_signing_out_there_leads_back_to_the_service(provider: Provider) -> None:
    kari = already(provider)
    kari.sends("sign-out")

    assert kari.page.heading == "You are signed out"
    assert kari.page.links["Back to Alumni"] == "https://portal.example/"
    assert kari.page.links["Sign in again"] == "https://portal.example/"
    assert kari.comes_from_portal().step == "login"


def test_switching_user_there_starts_the_client_anew(provider: Provider) -> None:
    kari = already(provider).sends("switch-user")

    assert urlsplit(kari.answer.headers["Location"]).netloc == "portal.example"
    assert kari.comes_from_portal().step == "login"


def test_signed_out_names_the_service_it_was_asked_by(provider: Provider) -> None:
    kari = provider.person().is_signed_in()
    kari.goes(f"/logout?client_id={provider.portal}")
    assert kari.page.heading == "Do you want to sign out?"

    kari.sends("sign-out")

    assert kari.page.links["Back to Alumni"] == "https://portal.example/"
    kari.goes(f"/signed-out{kari.page.links['Norsk bokmål']}")
    assert kari.page.heading == "Du er logget ut"
    assert kari.page.links["Tilbake til Alumni"] == "https://portal.example/"


def test_whom_we_send_to_start_a_sign_in_hears_who_sends_them(provider: Provider) -> None:
    """OpenID Connect Core §4."""
    provider.register(client_name="Other", initiate_login_uri="https://portal.example/login?from=here")

    links = provider.person().goes("/").page.links

    assert links["Other"] == "https://portal.example/login?from=here&iss=https%3A%2F%2Flogin.example"


# Two tabs, finish in one (page spec §7)


@pytest.mark.parametrize("way", ["Sign up now", "Forgotten your password?"])
def test_a_tab_left_in_another_journey_finds_the_sign_in(provider: Provider, way: str) -> None:
    kari = at_second_step(provider)
    here = kari.answer.request.path
    other = kari.comes_from_portal().presses(way).answer.request.path
    kari.goes(here).sends("sms").sends("verify", code=kari.phoned_code())

    assert "code" in kari.goes(other).redirected_to()


def test_a_sign_up_of_somebody_else_goes_on_beside_it(provider: Provider) -> None:
    """Two people at one browser: what one proved is not taken for the other."""
    kari = at_second_step(provider)
    here = kari.answer.request.path
    ola = provider.person().email
    other = kari.comes_from_portal().presses("Sign up now").sends(email=ola).answer.request.path
    kari.goes(here).sends("sms").sends("verify", code=kari.phoned_code())

    assert kari.goes(other).step == "email-code"
    assert ola in kari.page.text


# Cookies off (A21)


def test_without_cookies_the_way_on_begins_at_the_client(provider: Provider) -> None:
    """The journey belongs to a browser that was never recognised: it could not go on, once cookies are on."""
    browser = provider.app.test_client(use_cookies=False)
    kari = Person(provider, browser).comes_from_portal()

    assert kari.page.heading == "Your browser does not accept cookies"
    assert kari.page.links["Try again"] == "https://portal.example/"


def test_a_reset_says_what_becomes_of_other_devices(provider: Provider) -> None:
    """DESIGN §6: they are signed out, whatever anybody ticks."""
    kari = at_second_step(provider)
    kari.goes(f"{kari.answer.request.path.rpartition('/sign-in')[0]}/reset").sends(email=kari.email)
    kari.sends("verify", code=kari.mailed_code()).sends("sms").sends("verify", code=kari.phoned_code())

    assert "All your other devices will be signed out." in kari.page.text
    assert 'type="checkbox"' not in kari.page.html
