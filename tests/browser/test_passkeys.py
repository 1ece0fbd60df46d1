"""Passkeys in a real browser, with its virtual authenticator (SR-37, SR-38; page spec §8.1, §10 row 8)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import Opens
from tests.browser.test_guide import NO_SCRIPT, is_on_portal, press, signs_up, types_code
from tests.browser.world import Newcomer, World


class Device:
    """The authenticator of a window: a screen lock that says yes, until it is told otherwise."""

    def __init__(self, page: Page) -> None:
        self._told: CDPSession = page.context.new_cdp_session(page)
        self._told.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self._told.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._named = {"authenticatorId": made["authenticatorId"]}

    def verifies(self, yes: bool) -> None:
        """Whether the face, the finger or the lock fits."""
        self._told.send("WebAuthn.setUserVerified", {**self._named, "isUserVerified": yes})

    def passkeys(self) -> list[dict[str, Any]]:
        """What it keeps."""
        found: list[dict[str, Any]] = self._told.send("WebAuthn.getCredentials", self._named)["credentials"]
        return found

    def takes(self, passkey: dict[str, Any]) -> None:
        """A copy of another's passkey."""
        self._told.send("WebAuthn.addCredential", {**self._named, "credential": passkey})


@pytest.fixture
def account(opens: Opens, world: World, kari: Newcomer) -> Newcomer:
    """Somebody who has signed up before."""
    page = opens(**NO_SCRIPT)
    signs_up(page, world, kari)
    is_on_portal(page, world, kari)
    page.context.close()
    return kari


def to_security(page: Page, world: World, kari: Newcomer) -> None:
    """To «Passnøkler», by password and code."""
    page.goto(f"{world.idp}/account/passkeys")
    page.get_by_label("E-postadresse", exact=True).fill(kari.email)
    page.get_by_label("Passord", exact=True).fill(kari.password)
    press(page, "Logg inn")
    press(page, "Send kode")
    types_code(page, "Kode", kari.code(kari.phone))
    expect(page.locator("h1")).to_have_text("Passnøkler")


def makes_one(page: Page) -> None:
    press(page, "Lag passnøkkel")
    expect(page.locator("h1")).to_have_text("Logg inn raskere neste gang")
    press(page, "Lag passnøkkel")
    expect(page.locator("main")).to_contain_text("Passnøkkelen er laget.")


def test_from_making_one_to_removing_it(opens: Opens, world: World, account: Newcomer) -> None:
    """Enrol; sign in from the list of the field and by the button; nobody's finger; a copy; removed."""
    page = opens()
    device = Device(page)
    to_security(page, world, account)
    makes_one(page)
    assert len(device.passkeys()) == 1
    before = device.passkeys()[0]

    # From the list of the address field: the browser offers it by itself, and nothing is pressed.
    page.context.clear_cookies()
    page.goto(f"{world.idp}/account/passkeys")
    expect(page.locator("h1")).to_have_text("Passnøkler")
    expect(page.locator("main")).to_contain_text("Sist brukt")

    # By another device that holds a copy from before that: nobody's finger, then a counter that is behind.
    thief = opens()
    copy = Device(thief)
    copy.verifies(False)
    copy.takes({**before, "signCount": 0})
    thief.goto(f"{world.idp}/account/passkeys")
    press(thief, "Logg inn med passnøkkel")
    expect(thief.locator("main")).to_contain_text("Innloggingen ble avbrutt.")
    copy.verifies(True)
    press(thief, "Prøv igjen")
    thief.wait_for_load_state()
    expect(thief.locator("main")).to_contain_text("Innloggingen ble avbrutt.")
    thief.context.close()

    # Removed: it belongs to no account any more.
    page.get_by_role("link", name="Slett").click()
    press(page, "Slett")
    expect(page.locator("main")).to_contain_text("Slett den også i passordlageret på enheten.")
    page.context.clear_cookies()
    page.goto(f"{world.idp}/account/passkeys")
    expect(page.locator("main")).to_contain_text("Denne passnøkkelen hører ikke til en konto her.")


def test_as_the_second_step(opens: Opens, world: World, account: Newcomer) -> None:
    """On a page beside the phone, shown by the script; and without one, not at all."""
    page = opens()
    device = Device(page)
    to_security(page, world, account)
    makes_one(page)
    device.verifies(False)  # so that it does not answer from the list
    page.context.clear_cookies()
    page.goto(f"{world.idp}/account/passkeys")
    page.get_by_label("E-postadresse", exact=True).fill(account.email)
    page.get_by_label("Passord", exact=True).fill(account.password)
    press(page, "Logg inn")
    press(page, "Bruk passnøkkel")
    device.verifies(True)
    press(page, "Bruk passnøkkel")
    expect(page.locator("h1")).to_have_text("Passnøkler")

    plain = opens(**NO_SCRIPT)
    plain.goto(f"{world.idp}/account/passkeys")
    expect(plain.get_by_role("button", name="Logg inn med passnøkkel")).to_be_hidden()
    plain.get_by_label("E-postadresse", exact=True).fill(account.email)
    plain.get_by_label("Passord", exact=True).fill(account.password)
    press(plain, "Logg inn")
    expect(plain.get_by_role("link", name="Bruk passnøkkel")).to_be_hidden()
    press(plain, "Send kode")
    types_code(plain, "Kode", account.code(account.phone))
    seen = plain.evaluate("() => document.body.innerText")  # what Playwright compares leaves <noscript> out
    assert "Du trenger JavaScript for å lage en passnøkkel." in seen
    assert "Lag passnøkkel" not in seen
    plain.get_by_role("link", name="Gi nytt navn").click()
    plain.get_by_label("Navn").fill("Telefonen min")
    press(plain, "Lagre")
    expect(plain.locator("main")).to_contain_text("Telefonen min")
