"""«Min konto»: who may see it, how they get there, and what it tells (page spec §11)."""

from __future__ import annotations

import pytest

from tests.members import member, with_cookies_of
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)
"""Words and ways of pages have nothing to do with where things are kept; walks on both pairs are in other files."""

PAGES = {
    "/account": "Security",
    "/account/electronic-id": "Electronic ID",
    "/account/app": "Authenticator app",
    "/account/recovery-codes": "Recovery codes",
}
each_page = pytest.mark.parametrize("path", PAGES)


def walks_in(person: Person) -> Person:
    """Password, then the code by text message."""
    person.sends(email=person.email, password=PASSWORD).sends("sms")
    return person.sends("verify", code=person.phoned_code())


@each_page
def test_whoever_is_not_signed_in_signs_in_and_comes_to_that_page(provider: Provider, path: str) -> None:
    kari = member(provider).goes(path)
    assert kari.page.heading == "Sign in"

    walks_in(kari)

    assert kari.answer.request.path == path
    assert kari.page.heading == PAGES[path]


@each_page
def test_whoever_is_signed_in_is_asked_nothing(provider: Provider, path: str) -> None:
    kari = provider.person().is_signed_in().goes(path)

    assert kari.page.heading == PAGES[path]
    assert kari.answer.headers["Cache-Control"] == "no-store"


@each_page
def test_a_password_alone_opens_nothing(provider: Provider, path: str) -> None:
    """SR-23: two factors, here as everywhere."""
    kari = member(provider).goes(path)
    kari.sends(email=kari.email, password=PASSWORD)
    assert kari.step == "second-step"

    assert kari.goes(path).page.heading != PAGES[path]


def test_a_sign_in_for_the_portal_serves_here_too(provider: Provider) -> None:
    kari = member(provider)
    kari.signs_in()

    assert kari.goes("/account").page.heading == "Security"


def test_a_sign_in_here_serves_the_portal_too(provider: Provider) -> None:
    kari = walks_in(member(provider).goes("/account"))

    assert "code" in kari.comes_from_portal().redirected_to()


def test_it_tells_what_state_each_way_to_sign_in_is_in(provider: Provider) -> None:
    kari = walks_in(member(provider).goes("/account"))

    assert kari.email in kari.page.text
    assert f"ends in {kari.number[-2:]}" in kari.page.text
    assert "last changed" in kari.page.text
    assert kari.number not in kari.page.html
    assert "not confirmed" in kari.page.text


def test_who_signs_up_on_the_way_comes_to_their_own_page(provider: Provider) -> None:
    kari = provider.person().goes("/account").presses("Sign up now")
    kari.sends(email=kari.email).sends("verify", code=kari.mailed_code())
    kari.sends(new_password=PASSWORD, confirm_password=PASSWORD)
    kari.sends("sms", country="NO", tel=kari.number)
    kari.sends("verify", code=kari.phoned_code())

    assert kari.page.heading == "Security"
    assert kari.email in kari.page.text


def test_the_way_back_counts_once_and_for_one_browser(provider: Provider) -> None:
    """SR-57: another browser that has the address gets no page of the account, and takes nothing away."""
    kari = member(provider).goes("/account")
    journey_id = kari.answer.request.path.split("/")[2]
    stranger = provider.person().goes("/help").goes(f"/account/resume/{journey_id}")
    assert stranger.page.heading not in PAGES.values()

    walks_in(kari)
    assert kari.page.heading == "Security"
    assert kari.goes(f"/account/resume/{journey_id}").page.heading == "You are already signed in"


def test_an_interaction_of_the_portal_does_not_end_here(provider: Provider) -> None:
    kari = member(provider).comes_from_portal()
    journey_id = kari.answer.request.path.split("/")[2]

    kari.goes(f"/account/resume/{journey_id}")
    assert kari.page.heading == "Sign in"
    assert "code" in walks_in(kari).redirected_to()


def test_an_interaction_of_this_page_does_not_end_at_the_protocol(provider: Provider) -> None:
    kari = member(provider).goes("/account")
    journey_id = kari.answer.request.path.split("/")[2]

    assert kari.goes(f"/authorize/resume/{journey_id}").page.heading == "Sign in"
    assert walks_in(kari).page.heading == "Security"


def test_after_signing_out_it_asks_again(provider: Provider) -> None:
    kari = walks_in(member(provider).goes("/account"))
    kari.presses("Sign out").sends("sign-out")

    assert kari.goes("/account").page.heading == "Sign in"


def test_a_cookie_of_an_ended_session_opens_nothing(provider: Provider) -> None:
    """SR-108."""
    kari = walks_in(member(provider).goes("/account"))
    kept = with_cookies_of(kari)
    kari.presses("Sign out").sends("sign-out")

    assert kept.get("/account", base_url="https://login.example").status_code == 303


def test_the_start_page_leads_here(provider: Provider) -> None:
    kari = provider.person().is_signed_in().goes("/")

    assert kari.presses("My account").page.heading == "Security"


def test_without_cookies_it_says_so(provider: Provider) -> None:
    """Page spec §7: one redirect tells a browser that refuses cookies."""
    client = provider.app.test_client(use_cookies=False)
    answer = client.get("/account", base_url="https://login.example")
    for _ in range(3):
        if answer.status_code != 303:
            break
        answer = client.get(answer.headers["Location"], base_url="https://login.example")

    assert answer.status_code == 200
    assert "informasjonskapsler" in answer.get_data(as_text=True)


def test_each_thing_has_one_row(provider: Provider) -> None:
    """Page spec §11: the rows of S-HOME, each once, in that order."""
    kari = walks_in(member(provider).goes("/account"))
    found = [row.partition("</dt>")[0] for row in kari.page.html.split("<dt>")[1:]]

    assert found == [
        "Passkeys", "Email address", "Password", "Phone number", "Authenticator app", "Recovery codes", "Electronic ID",
        "Devices", "Activity", "Services with access", "Language", "My information",
    ]  # fmt: skip
