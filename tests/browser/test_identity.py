"""«Bekreft»: proving who one is with each eID, in a browser, from the portal to the payslips (DESIGN §5, §6)."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from urllib.request import Request, urlopen

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opens
from tests.browser.test_guide import press, signs_up, types_code
from tests.browser.world import Newcomer, World

SCRIPTS = pytest.mark.parametrize("script", [False, True], ids=["no-script", "script"])

# One identity has one account, so each test is somebody else.


def asks(world: World, path: str, **body: object) -> Any:
    """What the outside world answers to a script."""
    wanted = Request(
        f"{world.outside_world}/eid/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(wanted, timeout=10) as answer:
        return json.load(answer)


def scans(page: Page, world: World) -> dict[str, str]:
    """Read the QR code off the page, as a camera does: drawn large, and decoded from its pixels."""
    page.locator(".qr").wait_for()
    found: dict[str, str] = asks(world, "scan", content=decoded(page))
    return found


def decoded(page: Page) -> str:
    """The content of the code, from a picture of it."""
    found = zxingcpp.read_barcode(Image.open(BytesIO(page.locator(".qr").screenshot())))
    assert found is not None, "the code on the page cannot be read"
    return str(found.text)


def goes_on(page: Page, script: bool) -> None:
    """The page finds out by itself; without script a button asks."""
    while not script and page.get_by_role("button", name="Jeg har bekreftet i appen").count():
        press(page, "Jeg har bekreftet i appen")
        page.wait_for_timeout(500)


def at_proof(page: Page, world: World, kari: Newcomer) -> None:
    """A new person, signed up, who has pressed «Bekreft» on the portal."""
    signs_up(page, world, kari)
    page.wait_for_url(f"{world.portal}/**")
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


def test_an_eid_behind_a_broker_opens_the_payslips(opens: Opens, world: World, kari: Newcomer) -> None:
    page = opens()
    at_proof(page, world, kari)
    press(page, "Bekreft med MitID")
    at_the_bank(page, "Freja Holm", "Godkjenn")

    expect(page).to_have_url(f"{world.portal}/")
    expect(page.locator("main")).to_contain_text("Nordlys Rederi AS")
    page.goto(f"{world.idp}/account/electronic-id")
    expect(page.locator("main")).to_contain_text("MitID")
    expect(page.locator("main")).to_contain_text("for Alumniportalen")


def test_stopping_leaves_a_working_portal_and_a_proof_alone_opens_nothing(
    opens: Opens, world: World, kari: Newcomer
) -> None:
    page = opens(java_script_enabled=False)
    at_proof(page, world, kari)
    press(page, "Bekreft med BankID")
    at_the_bank(page, "Ola Hansen", "Avbryt")
    expect(page.locator("main")).to_contain_text("Du avbrøt i BankID. Ingenting er endret.")
    press(page, "Velg en annen eID")
    page.get_by_role("button", name="Avbryt og gå tilbake til Alumniportalen").click()
    expect(page.locator("main")).to_contain_text("Du er fortsatt logget inn.")

    press(page, "Bekreft")
    page.wait_for_url("**/sign-in/eid")
    press(page, "Bekreft med BankID")
    at_the_bank(page, "Ola Hansen", "Godkjenn")
    is_back(page, world, "Tilgangen din")  # his access window has closed
    expect(page.locator("main")).not_to_contain_text("Rederi")


# In an app: the code is read off the page, the answer is given on the tester's phone


@SCRIPTS
def test_swedish_bankid_by_code(opens: Opens, world: World, kari: Newcomer, script: bool) -> None:
    page = opens(java_script_enabled=script)
    at_proof(page, world, kari)
    press(page, "Bekreft med BankID (Sverige)")
    read = scans(page, world)
    assert asks(world, "act", **read, person=ASTRID if script else BJORN, action="approve") == {"opens": None}
    goes_on(page, script)

    is_back(page, world, "Nordlys Rederi AS" if script else STRANGER)


def test_swedish_bankid_on_the_same_device(opens: Opens, world: World, kari: Newcomer) -> None:
    page = opens(java_script_enabled=False)
    at_proof(page, world, kari)
    press(page, "Bekreft med BankID (Sverige) på denne enheten")
    press(page, "Åpne BankID (Sverige) på denne enheten")
    page.get_by_role("button", name="Refuse").click()
    expect(page.locator("main")).to_contain_text("Du avbrøt i BankID (Sverige). Ingenting er endret.")
    press(page, "Prøv igjen")
    press(page, "Åpne BankID (Sverige) på denne enheten")
    page.get_by_label("Who holds the phone").select_option(STINA)
    page.get_by_role("button", name="Approve").click()

    is_back(page, world, "Nordlys Rederi AS")


@SCRIPTS
def test_smart_id_by_code(opens: Opens, world: World, kari: Newcomer, script: bool) -> None:
    page = opens(java_script_enabled=script)
    at_proof(page, world, kari)
    press(page, "Bekreft med Smart-ID")
    asks(world, "act", **scans(page, world), person=RASA if script else ILZE, action="approve")
    goes_on(page, script)

    is_back(page, world, STRANGER)


def test_smart_id_by_push_to_a_phone_that_is_known(opens: Opens, world: World, kari: Newcomer) -> None:
    """Nobody's phone rings who has not proved themselves with it to this very account before (SR-105)."""
    page = opens(java_script_enabled=False)
    at_proof(page, world, kari)
    expect(page.get_by_role("button", name="Bekreft med Smart-ID på telefonen din")).to_have_count(0)
    press(page, "Bekreft med Smart-ID")
    asks(world, "act", **scans(page, world), person=MART, action="approve")
    goes_on(page, script=False)
    is_back(page, world, "Nordlys Rederi AS")

    (world.folder / "links.json").unlink()  # the data service has to find out anew who this is
    page = opens(java_script_enabled=True)
    page.goto(world.portal)
    signs_in(page, kari)
    page.wait_for_url(f"{world.portal}/**")
    press(page, "Bekreft")
    press(page, "Bekreft med Smart-ID på telefonen din")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sjekk at koden er den samme i appen")
    code = page.locator(".control-code").inner_text()
    phone = opens(java_script_enabled=False)
    phone.goto(f"{world.outside_world}/eid/")
    while not phone.get_by_text(code, exact=True).count():
        phone.wait_for_timeout(500)
        phone.reload()
    phone.get_by_role("button", name="Approve").click()

    is_back(page, world, "Nordlys Rederi AS")


def signs_in(page: Page, kari: Newcomer) -> None:
    """From the portal's «Logg inn», by password and text message."""
    press(page, "Logg inn")
    page.get_by_label("E-postadresse", exact=True).fill(kari.email)
    page.get_by_label("Passord", exact=True).fill(kari.password)
    press(page, "Logg inn")
    press(page, "Send kode")
    types_code(page, "Kode", kari.code(kari.phone))


STRANGER = "Vi fant ingen ansettelse som hører til deg"
ASTRID, BJORN, STINA = "197109052386", "197506212385", "196202172406"
MART, RASA, ILZE = "36608300204", "47912010305", "32760010006"


def is_back(page: Page, world: World, words: str) -> None:
    """On the portal, where these words stand."""
    expect(page).to_have_url(f"{world.portal}/", timeout=15000)
    expect(page.locator("main")).to_contain_text(words)
