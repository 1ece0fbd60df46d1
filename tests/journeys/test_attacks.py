"""Attempts to skip a step, or to lend a proof: across journeys, accounts, addresses, tabs and time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from idp.services import accounts, credentials
from idp.stores.durable import codes
from idp.stores.durable.codes import Verdict
from tests.members import account_id, member, same_browser, sessions_of, with_cookies_of
from tests.people import PASSWORD, Person, Provider

ANOTHER = "fire grønne hester synger"


def phone_of(person: Person) -> str:
    identity = account_id(person)
    with person.provider.app.app_context():
        phone = credentials.phone_of(identity)
    assert phone
    return phone.number


def password_works(provider: Provider, email: str, password: str) -> bool:
    someone = provider.person().comes_from_portal().sends(email=email, password=password)
    return someone.step == "second-step"


def at_new_password(provider: Provider, person: Person) -> Person:
    """A reset of this person's account, up to its last page."""
    tab = provider.person(email=person.email, number=person.number).comes_from_portal()
    tab.presses("Forgotten your password?").sends(email=person.email).sends("verify", code=tab.mailed_code())
    tab.sends("sms").sends("verify", code=tab.phoned_code())
    assert tab.step == "new-password"
    return tab


# Proofs lent from one account or journey to another


def test_a_password_for_one_account_opens_no_reset_of_another(provider: Provider) -> None:
    """SR-64: signed half in as Kari, the reset of Ola still asks for Ola's phone."""
    kari, ola = member(provider), member(provider)
    tab = provider.person(email=kari.email, number=kari.number).comes_from_portal()
    tab.sends(email=kari.email, password=PASSWORD).sends("sms")
    code = tab.phoned_code()
    journey = "/".join(tab.answer.request.path.split("/")[:3])
    tab.goes(f"{journey}/reset").sends(email=ola.email)
    tab.email = ola.email
    tab.sends("verify", code=tab.mailed_code())
    assert tab.step == "second-step"

    form = tab.page.form_with()
    tab.posts(form.action, {**form.fields, "code": code, "do": "verify"})
    assert tab.step == "second-step"
    tab.goes(f"{journey}/reset/new-password")
    assert tab.step == "second-step"


def test_a_phone_proved_for_one_account_serves_no_reset_of_another(provider: Provider) -> None:
    """SR-15, SR-64: the address is changed after mailbox and phone of one's own were proved."""
    kari, ola = member(provider), member(provider)
    tab = at_new_password(provider, kari)
    base = tab.answer.request.path.rpartition("/")[0]
    tab.goes(f"{base}/email").sends(email=ola.email)
    assert tab.step == "email-code"
    tab.email = ola.email
    tab.sends("verify", code=tab.mailed_code())
    assert tab.step == "second-step"
    tab.goes(f"{base}/new-password")
    assert tab.step == "second-step"


def test_a_proved_mailbox_is_worth_nothing_once_the_address_is_changed(provider: Provider) -> None:
    """SR-15, SR-44: neither forward with the new address, nor by going back to the old one."""
    kari = provider.person().comes_from_portal().presses("Sign up now").sends(email=provider.person().email)
    kari.email = kari.page.text.split("@example.no")[0].rpartition(" ")[2] + "@example.no"
    kari.sends("verify", code=kari.mailed_code())
    assert kari.step == "password"
    base = kari.answer.request.path.rpartition("/")[0]

    kari.goes(f"{base}/email").sends(email="someone.else@example.no")
    kari.goes(f"{base}/password")
    assert kari.step == "email-code"
    kari.goes(f"{base}/email").sends(email=kari.email)
    assert kari.goes(f"{base}/password").step == "email-code"


def test_a_code_of_one_tab_fails_in_another_journey(provider: Provider) -> None:
    """SR-15, SR-64: two sign-ins of one person in one browser do not share their codes."""
    kari = member(provider)
    first = provider.person(email=kari.email, number=kari.number).comes_from_portal()
    first.sends(email=kari.email, password=PASSWORD).sends("sms")
    code = first.phoned_code()
    second = same_browser(first).comes_from_portal().sends(email=kari.email, password=PASSWORD)
    second.sends("voice")
    other = second.phoned_code()
    assert other != code

    assert second.sends("verify", code=code).answer.status_code == 422
    assert "code" in first.sends("verify", code=code).redirected_to()


def test_signing_in_as_somebody_else_takes_nothing_from_the_session_before(provider: Provider) -> None:
    """SR-53: with Kari's session live, Ola's password alone opens nothing, and the end belongs to Ola alone."""
    kari, ola = member(provider), member(provider)
    kari.signs_in()
    tab = same_browser(kari, email=ola.email, number=ola.number).comes_from_portal(prompt="login")
    form = tab.page.form_with("sign-in")
    tab.posts(form.action, {**form.fields, "email": ola.email, "password": PASSWORD, "do": "sign-in"})
    assert tab.step == "second-step"
    assert ola.number[-2:] in tab.page.text
    tab.sends("sms").sends("verify", code=tab.phoned_code())

    claims = provider.parts.keyring.verify_own(tab.tokens()["id_token"], typ="JWT")
    assert claims["sub"] == account_id(ola)
    assert sessions_of(kari) == 0


def test_switching_user_forgets_what_was_proved(provider: Provider) -> None:
    """SR-53: after "switch user" nothing of the session before counts, not even for the same person."""
    kari = member(provider)
    kari.signs_in()
    tab = same_browser(kari).comes_from_portal(prompt="select_account")
    assert tab.step == "accounts"
    tab.sends("other")
    assert tab.step == "login"
    tab.sends(email=kari.email, password=PASSWORD)
    assert tab.step == "second-step"


# Proofs that time has overtaken


def test_a_password_given_before_a_reset_is_worth_nothing_after_it(provider: Provider) -> None:
    """SR-63: a thief who stands at the second step when the owner resets begins anew."""
    kari = member(provider)
    thief = provider.person(email=kari.email, number=kari.number).comes_from_portal()
    thief.sends(email=kari.email, password=PASSWORD).sends("sms")
    code = thief.phoned_code()
    tab = at_new_password(provider, kari)
    tab.sends(new_password=ANOTHER, confirm_password=ANOTHER)
    assert "code" in tab.redirected_to()

    thief.sends("verify", code=code)

    assert thief.step == "login"
    assert sessions_of(kari) == 1


def test_a_reset_begun_before_another_was_finished_ends_with_it(provider: Provider) -> None:
    """SR-63: the reset flows that are open end, too."""
    kari = member(provider)
    slow, quick = at_new_password(provider, kari), at_new_password(provider, kari)
    quick.sends(new_password=ANOTHER, confirm_password=ANOTHER)

    slow.sends(new_password="seks røde rever leser", confirm_password="seks røde rever leser")

    assert slow.step == "email"
    assert password_works(provider, kari.email, ANOTHER)


def test_an_account_locked_on_the_way_gets_no_session_and_no_password(provider: Provider) -> None:
    """SR-60: locked between the steps of a sign-in and of a reset."""
    kari = member(provider)
    reset = at_new_password(provider, kari)
    tab = provider.person(email=kari.email, number=kari.number).comes_from_portal()
    tab.sends(email=kari.email, password=PASSWORD).sends("voice")
    code = tab.phoned_code()
    identity = account_id(kari)
    with provider.app.app_context():
        accounts.lock(identity)

    assert tab.sends("verify", code=code).step == "login"
    assert reset.sends(new_password=ANOTHER, confirm_password=ANOTHER).step == "email"
    assert sessions_of(kari) == 0
    with provider.app.app_context():
        accounts.unlock(identity)
    assert password_works(provider, kari.email, PASSWORD)


def test_a_locked_account_cannot_be_reset(provider: Provider) -> None:
    """SR-60, SR-61: its mailbox leads to no new password."""
    kari = member(provider)
    with provider.app.app_context():
        accounts.lock(account_id(kari))
    tab = provider.person(email=kari.email).comes_from_portal().presses("Forgotten your password?")
    tab.sends(email=kari.email).sends("verify", code=tab.mailed_code())
    base = tab.answer.request.path.rpartition("/")[0]

    assert tab.step == "finish-first"
    assert tab.goes(f"{base}/new-password").step == "finish-first"


# Two tabs at once


def while_it_is_checked(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Let `act` happen right after a code was found right, before that is written down."""
    redeem = codes.redeem
    acted: list[bool] = []

    def redeemed(*args: Any, **kwargs: Any) -> tuple[Verdict, int]:
        answer = redeem(*args, **kwargs)
        if answer[0] is Verdict.RIGHT and not acted:
            acted.append(True)
            act()
        return answer

    monkeypatch.setattr(codes, "redeem", redeemed)


def at_phone_code(provider: Provider) -> Person:
    kari = provider.person().comes_from_portal().presses("Sign up now").sends(email=provider.person().email)
    kari.email = kari.page.text.split("@example.no")[0].rpartition(" ")[2] + "@example.no"
    kari.sends("verify", code=kari.mailed_code()).sends(new_password=PASSWORD, confirm_password=PASSWORD)
    kari.sends("sms", country="NO", tel=kari.number)
    assert kari.step == "phone-code"
    return kari


def test_a_code_proves_the_number_it_was_sent_to_and_no_other(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SR-15: another tab changes the number in the moment in which the code for the first one is right."""
    kari = at_phone_code(provider)
    code = kari.phoned_code()
    other = same_browser(kari, number=provider.person().number)
    base = kari.answer.request.path.rpartition("/")[0]
    other.goes(f"{base}/phone")
    while_it_is_checked(monkeypatch, lambda: other.sends("voice", country="NO", tel=other.number))

    kari.sends("verify", code=code)

    assert kari.step == "phone-code"
    with provider.app.app_context():
        assert accounts.by_address(kari.email) is None


def test_the_last_step_of_a_sign_up_in_many_tabs_makes_one_account_and_one_session(provider: Provider) -> None:
    """SR-49: the same code, by four forms at the same time."""
    kari = at_phone_code(provider)
    answers = at_once(kari, kari.phoned_code(), tabs=4)

    assert set(answers) == {303}
    assert sessions_of(kari) == 1


def test_the_last_step_of_a_sign_in_in_many_tabs_starts_one_session(provider: Provider) -> None:
    kari = member(provider).comes_from_portal()
    kari.sends(email=kari.email, password=PASSWORD).sends("sms")
    answers = at_once(kari, kari.phoned_code(), tabs=4)

    assert set(answers) == {303}
    assert sessions_of(kari) == 1


def at_once(person: Person, code: str, *, tabs: int) -> list[int]:
    """Send the code from so many tabs at the same time; the status each was answered with."""
    where = person.answer.request.path
    forms = [same_browser(person).goes(where).page.form_with("verify") for _ in range(tabs)]
    barrier = Barrier(tabs)

    def send(at: int) -> int:
        form, client = forms[at], with_cookies_of(person)
        barrier.wait()
        data = {**form.fields, "code": code, "do": "verify"}
        return client.post(form.action, base_url="https://login.example", data=data).status_code

    with ThreadPoolExecutor(tabs) as pool:
        return list(pool.map(send, range(tabs)))


def test_a_sign_up_overtaken_by_another_leaves_the_account_as_it_is(provider: Provider) -> None:
    """SR-45, SR-46: what the slower one typed and proved is dropped, also when it then signs in."""
    slow = at_phone_code(provider)
    code = slow.phoned_code()
    winner = member(provider, email=slow.email)
    slow.sends("verify", code=code)
    assert slow.page.heading == "You already have an account"
    slow.presses("Sign in").sends(email=slow.email, password=PASSWORD)
    assert slow.step == "second-step"
    slow.number = winner.number
    slow.sends("sms").sends("verify", code=slow.phoned_code())

    assert "code" in slow.redirected_to()
    assert phone_of(winner) == winner.number


# Forms


def test_a_form_of_another_step_browser_or_journey_counts_for_nothing(provider: Provider) -> None:
    """SR-57, A30: the same page again, and nothing done."""
    kari, stranger = member(provider).comes_from_portal(), provider.person().comes_from_portal()
    elsewhere = same_browser(kari).comes_from_portal()
    mine = kari.page.form_with("sign-in")
    for token in ("", "x", stranger.page.form_with().fields["form"], elsewhere.page.form_with().fields["form"]):
        kari.posts(mine.action, {"form": token, "email": kari.email, "password": PASSWORD, "do": "sign-in"})
        assert kari.step == "login"
        assert "The page had been open for a long time." in kari.page.text
    stranger.posts(mine.action, {**mine.fields, "email": kari.email, "password": PASSWORD, "do": "sign-in"})
    assert stranger.answer.status_code == 410
    assert sessions_of(kari) == 0


def test_pages_sent_again_after_the_end_do_nothing(provider: Provider) -> None:
    """A26, SR-14: Back and "send again" on every page of a finished sign-up."""
    kari = at_phone_code(provider)
    code, form = kari.phoned_code(), kari.page.form_with("verify")
    kari.sends("verify", code=code)
    assert "code" in kari.redirected_to()

    again = same_browser(kari).posts(form.action, {**form.fields, "code": code, "do": "verify"})

    assert again.page.heading == "You are already signed in"
    assert sessions_of(kari) == 1
