"""The same journeys with script, in English, without touching the mouse (page spec A9, A10)."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Opens
from tests.browser.world import Newcomer, World

MOST_STOPS = 60
FOCUS = """() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  return {
    tag: at.tagName.toLowerCase(),
    name: at.name || '',
    words: (at.innerText || '').trim(),
    visible: box.width > 0 && box.height > 0,
    marked: style.outlineStyle !== 'none' || style.boxShadow !== 'none',
  };
}"""


def test_sign_up_sign_in_and_reset_by_keyboard_alone(opens: Opens, world: World, kari: Newcomer) -> None:
    page = opens("en-GB")
    page.goto(f"{world.portal}/?language=en")
    activates(page, "Sign in")
    activates(page, "Sign up now")
    types(page, "email", kari.email)
    types(page, "code", kari.code(kari.email))
    types(page, "new-password", kari.password, enter=False)
    types(page, "confirm-password", kari.password)
    types(page, "tel", kari.number)  # Enter on the number is «Send code», never a call
    types(page, "code", kari.code(kari.phone))
    is_signed_in(page, world, kari)

    page = opens("en-GB")
    page.goto(f"{world.portal}/?language=en")
    activates(page, "Sign in")
    types(page, "email", kari.email, enter=False)
    types(page, "password", kari.password)
    activates(page, "Call me")
    types(page, "code", kari.code(kari.phone))
    is_signed_in(page, world, kari)

    page = opens("en-GB")
    page.goto(f"{world.portal}/?language=en")
    activates(page, "Sign in")
    activates(page, "Forgotten your password?")
    types(page, "email", kari.email)
    types(page, "code", kari.code(kari.email))
    activates(page, "Send code")
    types(page, "code", kari.code(kari.phone))
    types(page, "new-password", "twelve green reindeer sleeping", enter=False)
    types(page, "confirm-password", "twelve green reindeer sleeping")
    is_signed_in(page, world, kari)


def types(page: Page, name: str, text: str, *, enter: bool = True) -> None:
    """Tab to the field of this name, type, and press Enter."""
    _tab_to(page, lambda at: at["name"] == name and at["tag"] == "input")
    page.keyboard.press("Control+A")
    page.keyboard.type(text)
    if enter:
        _leaves(page, "Enter")


def activates(page: Page, words: str) -> None:
    """Tab to the button or link with these words and press it."""
    at = _tab_to(page, lambda at: at["words"] == words and at["tag"] in ("a", "button"))
    assert at["marked"], f"«{words}» has focus and does not show it"
    _leaves(page, "Enter")


def _tab_to(page: Page, is_it) -> dict:
    for _ in range(MOST_STOPS):
        at: dict = page.evaluate(FOCUS)
        if is_it(at) and at["visible"]:
            return at
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach it on {page.url}: {page.locator('h1').inner_text()}")


def _leaves(page: Page, key: str) -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def is_signed_in(page: Page, world: World, kari: Newcomer) -> None:
    """Back on the portal, signed in as oneself."""
    page.wait_for_url(f"{world.portal}/**")
    expect(page.locator("header")).to_contain_text(kari.email)
