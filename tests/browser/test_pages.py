"""The pages as people meet them, in every state: accessible, small, and to themselves (page spec A1, A13, A40, A41).

tests/pages looks at samples of each page; here the same questions are put to the running service.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Opens
from tests.browser.inspection import FIRST_VISIT, REQUESTS_OF_FIRST_VISIT, Inspector
from tests.browser.world import Newcomer, World

languages = pytest.mark.parametrize("language", ["nb-NO", "en-GB"])
NEW_PASSWORD = "tolv grønne reinsdyr sover"


def test_the_pages_of_sign_up(opens: Opens, world: World, kari: Newcomer) -> None:
    page = opens()
    inspector = _arrives(page, world)
    _signs_in_wrongly(page, inspector)
    page.click("a.second[href*='/sign-up']")
    _proves_the_address(page, inspector, kari)
    _chooses_a_password(page, inspector, kari)
    _proves_the_phone(page, inspector, kari)
    _is_back(page, world, inspector)


def test_the_pages_of_sign_in_and_what_follows(opens: Opens, world: World, kari: Newcomer) -> None:
    _signs_up(opens(), world, kari)
    page = opens()
    inspector = _arrives(page, world)
    page.fill("#email", kari.email)
    page.fill("#password", kari.password)
    _presses(page, "sign-in")
    inspector.looks("second step")
    step = page.url
    page.click("a.alone[href$='/lost-phone']")
    inspector.looks("no longer that number")
    page.goto(step)
    _presses(page, "voice")
    inspector.looks("code by call")
    page.fill("#code", kari.code(kari.phone))
    _presses(page, "verify")
    _is_back(page, world, inspector)
    page.go_back()
    inspector.looks("back after the end")
    _leaves(page, world, inspector)


def test_the_pages_of_reset(opens: Opens, world: World, kari: Newcomer) -> None:
    _signs_up(opens("en-GB"), world, kari)
    page = opens("en-GB")
    inspector = _arrives(page, world)
    page.click("a[href*='/reset']")
    inspector.looks("reset: address")
    _presses(page, "send")
    inspector.looks("reset: nothing typed")
    page.fill("#email", kari.email)
    _presses(page, "send")
    inspector.looks("reset: code by mail")
    page.fill("#code", kari.code(kari.email))
    _presses(page, "verify")
    inspector.looks("reset: phone step")
    _presses(page, "sms")
    page.fill("#code", kari.code(kari.phone))
    _presses(page, "verify")
    inspector.looks("reset: new password")
    page.fill("#new-password", "passord1234567")
    page.fill("#confirm-password", "noe annet")
    _presses(page, "save")
    inspector.looks("reset: poor password")
    page.fill("#new-password", NEW_PASSWORD)
    page.fill("#confirm-password", NEW_PASSWORD)
    _presses(page, "save")
    _is_back(page, world, inspector)


def test_a_known_address_at_sign_up(opens: Opens, world: World, kari: Newcomer) -> None:
    _signs_up(opens("en-GB"), world, kari)
    page = opens("en-GB")
    inspector = _arrives(page, world)
    page.click("a.second[href*='/sign-up']")
    page.fill("#email", kari.email)
    _presses(page, "send")
    page.fill("#code", kari.code(kari.email))
    _presses(page, "verify")
    inspector.looks("have an account")
    assert not inspector.problems, "\n".join(inspector.problems)


@languages
def test_the_pages_that_stand_by_themselves(opens: Opens, world: World, language: str) -> None:
    page = opens(language)
    inspector = Inspector(page, {world.idp})
    for path in (
        "/", "/help", "/privacy", "/terms", "/accessibility", "/signed-out",
        "/no-such-page", "/authorize?client_id=nobody", f"/journey/{'0' * 22}/sign-in/login",
    ):  # fmt: skip
        page.goto(f"{world.idp}{path}")
        inspector.looks(path)
    assert not inspector.problems, "\n".join(inspector.problems)


def test_back_leads_past_rejected_forms_without_sending_them_again(opens: Opens, world: World) -> None:
    """Page spec §7: Back lands on the earlier page, filled in; the browser asks nobody to confirm anything."""
    page = opens()
    inspector = _arrives(page, world)
    _signs_in_wrongly(page, inspector)
    typed = page.input_value("#email")
    page.click("a[href*='/reset']")

    page.go_back()

    assert page.inner_text("h1") == "Logg inn"
    assert page.input_value("#email") == typed
    assert page.locator("#summary").count() == 0


def test_a_first_visit_is_light(opens: Opens, world: World) -> None:
    page = opens()
    inspector = Inspector(page, {world.idp, world.portal})
    page.goto(f"{world.portal}/login")
    ours = {path: weight for path, weight in inspector.weights.items() if not path.startswith("/login")}
    assert sum(ours.values()) <= FIRST_VISIT, ours
    assert len(ours) <= REQUESTS_OF_FIRST_VISIT, ours


def _arrives(page: Page, world: World) -> Inspector:
    """Press «Logg inn» on the portal; watch the provider's pages from there on."""
    inspector = Inspector(page, {world.idp, world.portal})
    page.goto(f"{world.portal}/login")
    assert page.url.startswith(world.idp)
    return inspector


def _signs_in_wrongly(page: Page, inspector: Inspector) -> None:
    inspector.looks("sign-in")
    _presses(page, "sign-in")
    inspector.looks("sign-in: nothing typed")
    for attempt in range(3):
        page.fill("#email", "nobody@example.org")
        page.fill("#password", f"wrong password {attempt}")
        _presses(page, "sign-in")
    inspector.looks("sign-in: three misses")


def _proves_the_address(page: Page, inspector: Inspector, kari: Newcomer) -> None:
    inspector.looks("sign-up: address")
    page.fill("#email", "kari at example")
    _presses(page, "send")
    inspector.looks("sign-up: no address")
    page.fill("#email", "kari.nordmann@gmial.com")
    _presses(page, "send")
    inspector.looks("sign-up: a likely slip")
    page.fill("#email", kari.email)
    _presses(page, "send")
    inspector.looks("sign-up: code by mail")
    page.fill("#code", "12x")
    _presses(page, "verify")
    inspector.looks("sign-up: no code")
    _presses(page, "resend")
    inspector.looks("sign-up: too early for another")
    page.fill("#code", kari.code(kari.email))
    _presses(page, "verify")


def _chooses_a_password(page: Page, inspector: Inspector, kari: Newcomer) -> None:
    inspector.looks("sign-up: password")
    page.fill("#new-password", "kort")
    page.fill("#confirm-password", "kortere")
    _presses(page, "create")
    inspector.looks("sign-up: poor password")
    page.fill("#new-password", kari.password)
    page.fill("#confirm-password", kari.password)
    _presses(page, "create")


def _proves_the_phone(page: Page, inspector: Inspector, kari: Newcomer) -> None:
    inspector.looks("sign-up: phone")
    page.fill("#tel", "12")
    _presses(page, "sms")
    inspector.looks("sign-up: no number")
    page.fill("#tel", kari.number)
    _presses(page, "sms")
    inspector.looks("sign-up: code by phone")
    code = kari.code(kari.phone)
    page.fill("#code", f"{(int(code) + 1) % 1_000_000:06d}")
    _presses(page, "verify")
    inspector.looks("sign-up: wrong code")
    page.fill("#code", code)
    _presses(page, "verify")


def _leaves(page: Page, world: World, inspector: Inspector) -> None:
    """Sign out without a hint, so that the provider asks; then for good."""
    page.goto(f"{world.idp}/logout")
    inspector.looks("sign out?")
    _presses(page, "sign-out")
    inspector.looks("signed out")
    assert not inspector.problems, "\n".join(inspector.problems)


def _signs_up(page: Page, world: World, kari: Newcomer) -> None:
    page.goto(f"{world.portal}/login")
    page.click("a.second[href*='/sign-up']")
    page.fill("#email", kari.email)
    _presses(page, "send")
    page.fill("#code", kari.code(kari.email))
    _presses(page, "verify")
    page.fill("#new-password", kari.password)
    page.fill("#confirm-password", kari.password)
    _presses(page, "create")
    page.fill("#tel", kari.number)
    _presses(page, "sms")
    page.fill("#code", kari.code(kari.phone))
    _presses(page, "verify")
    assert urlsplit(page.url).netloc == urlsplit(world.portal).netloc


def _is_back(page: Page, world: World, inspector: Inspector) -> None:
    page.wait_for_url(f"{world.portal}/**")
    assert not inspector.problems, "\n".join(inspector.problems)


def _presses(page: Page, value: str) -> None:
    """Press the button that sends this."""
    with page.expect_navigation():
        page.click(f"button[name=do][value={value}]")
