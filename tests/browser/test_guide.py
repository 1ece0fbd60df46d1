"""The published user guide, by its words alone, in Norwegian, in a browser without script (DESIGN §7; SR-44, SR-61)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opens
from tests.browser.world import Newcomer, World

NO_SCRIPT = {"java_script_enabled": False}


def test_sign_up_with_a_text_message(opens: Opens, world: World, kari: Newcomer) -> None:
    page = opens(**NO_SCRIPT)
    signs_up(page, world, kari, by="Send kode")
    is_on_portal(page, world, kari)


def test_sign_up_with_a_call(opens: Opens, world: World, kari: Newcomer) -> None:
    page = opens(**NO_SCRIPT)
    signs_up(page, world, kari, by="Ring meg")
    is_on_portal(page, world, kari)


@pytest.mark.parametrize("by", ["Send kode", "Ring meg"])
def test_sign_in(opens: Opens, world: World, kari: Newcomer, by: str) -> None:
    signs_up(opens(**NO_SCRIPT), world, kari)
    page = opens(**NO_SCRIPT)

    page.goto(world.portal)
    press(page, "Logg inn")
    page.get_by_label("E-postadresse", exact=True).fill(kari.email)
    page.get_by_label("Passord", exact=True).fill(kari.password)
    press(page, "Logg inn")
    expect(page.locator("main")).to_contain_text(f"slutter på {kari.number[-2:]}")
    press(page, by)
    types_code(page, "Kode", kari.code(kari.phone))

    is_on_portal(page, world, kari)


@pytest.mark.parametrize("by", ["Send kode", "Ring meg"])
def test_reset(opens: Opens, world: World, kari: Newcomer, by: str) -> None:
    signs_up(opens(**NO_SCRIPT), world, kari)
    page = opens(**NO_SCRIPT)

    page.goto(world.portal)
    press(page, "Logg inn")
    press(page, "Har du glemt passordet?")
    page.get_by_label("E-postadresse", exact=True).fill(kari.email)
    press(page, "Send bekreftelseskode")
    types_code(page, "Bekreftelseskode", kari.code(kari.email))
    press(page, by)
    types_code(page, "Kode", kari.code(kari.phone))
    page.get_by_label("Nytt passord", exact=True).fill("tolv grønne reinsdyr sover")
    page.get_by_label("Bekreft passordet", exact=True).fill("tolv grønne reinsdyr sover")
    press(page, "Lagre nytt passord")

    is_on_portal(page, world, kari)


def signs_up(page: Page, world: World, kari: Newcomer, by: str = "Send kode") -> None:
    """From «Logg inn» on the portal to the portal, signed in."""
    page.goto(world.portal)
    press(page, "Logg inn")
    press(page, "Registrer deg nå")
    page.get_by_label("Privat e-postadresse").fill(kari.email)
    press(page, "Send bekreftelseskode")
    types_code(page, "Bekreftelseskode", kari.code(kari.email))
    expect(page.locator("main")).to_contain_text("E-postadressen din er bekreftet. Du kan nå fortsette.")
    page.get_by_label("Nytt passord", exact=True).fill(kari.password)
    page.get_by_label("Bekreft passordet", exact=True).fill(kari.password)
    press(page, "Opprett")
    page.get_by_label("Telefonnummer", exact=True).fill(kari.number)
    press(page, by)
    types_code(page, "Kode", kari.code(kari.phone))


def types_code(page: Page, label: str, code: str) -> None:
    """Type the code as people read it, in two groups, and confirm."""
    page.get_by_label(label).fill(f"{code[:3]} {code[3:]}")
    press(page, "Bekreft kode")


def press(page: Page, words: str) -> None:
    """Press the button, or the link, that has these words and no others."""
    button = page.get_by_role("button", name=words, exact=True)
    (button if button.count() else page.get_by_role("link", name=words, exact=True)).first.click()


def is_on_portal(page: Page, world: World, kari: Newcomer) -> None:
    """Back on the portal, signed in as oneself."""
    page.wait_for_url(f"{world.portal}/**")
    expect(page.locator("header")).to_contain_text(f"Du er logget inn som {kari.email}")
