"""«Bekreft»: proving who one is with each eID, in a browser, from the portal to the payslips (DESIGN §5, §6)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opens
from tests.browser.test_guide import press, signs_up
from tests.browser.world import Newcomer, World

# One identity has one account, so each test is somebody else.


def at_proof(page: Page, world: World, kari: Newcomer) -> None:
    """A new person, signed up, who has pressed «Bekreft» on the portal."""
    signs_up(page, world, kari)
    press(page, "Bekreft")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bekreft hvem du er")


def at_the_bank(page: Page, who: str, button: str) -> None:
    """Choose a person at the demo bank, and press a button there."""
    page.get_by_role("radio", name=who).first.check()
    page.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize(
    ("script", "who"), [(False, "Kari Nordmann"), (True, "Anne Berg")], ids=["no-script", "script"]
)
def test_norwegian_bankid_opens_the_payslips(
    opens: Opens, world: World, kari: Newcomer, script: bool, who: str
) -> None:
    page = opens(java_script_enabled=script)
    at_proof(page, world, kari)
    press(page, "Bekreft med BankID")
    at_the_bank(page, who, "Godkjenn")

    expect(page).to_have_url(f"{world.portal}/")
    expect(page.locator("main")).to_contain_text("Fjordkraft Verksted AS")


def test_stopping_at_the_bank_leaves_a_way_on_and_a_working_portal(opens: Opens, world: World, kari: Newcomer) -> None:
    page = opens(java_script_enabled=False)
    at_proof(page, world, kari)
    press(page, "Bekreft med BankID")
    at_the_bank(page, "Ola Hansen", "Avbryt")
    expect(page.locator("main")).to_contain_text("Du avbrøt i BankID. Ingenting er endret.")
    press(page, "Velg en annen eID")
    page.get_by_role("button", name="Avbryt og gå tilbake til Alumniportalen").click()

    expect(page.locator("main")).to_contain_text("Du er fortsatt logget inn.")


@pytest.mark.parametrize(
    ("who", "words"),
    [("Ola Hansen", "Tilgangen din"), ("Peder Ås", "Vi fant ingen ansettelse som hører til deg")],
    ids=["closed-window", "stranger"],
)
def test_a_proof_alone_opens_nothing(opens: Opens, world: World, kari: Newcomer, who: str, words: str) -> None:
    page = opens(java_script_enabled=False)
    at_proof(page, world, kari)
    press(page, "Bekreft med BankID")
    at_the_bank(page, who, "Godkjenn")

    expect(page).to_have_url(f"{world.portal}/")
    expect(page.locator("main")).not_to_contain_text("Verksted")
    expect(page.locator("main")).to_contain_text(words)
