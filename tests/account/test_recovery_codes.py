"""S-RECOVERY-CODES (page spec §11): ten codes, shown until they are saved and never after."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from idp.services import credentials, second_factors
from idp.stores.durable.db import transaction
from idp.stores.durable.recovery_codes import recovery_codes
from tests.conftest import Clock
from tests.members import with_recovery_codes
from tests.people import Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)

SPELLED = re.compile(r"\b[2-9A-HJKMNP-TV-Z]{5}(?:-[2-9A-HJKMNP-TV-Z]{5}){2}\b")


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def makes(person: Person) -> list[str]:
    """The list, as it stands on the page."""
    person.goes("/account/recovery-codes").presses("Make new recovery codes").sends("make")
    return SPELLED.findall(person.page.html)


def left(person: Person) -> int | None:
    with person.provider.app.app_context():
        found = second_factors.recovery_codes_of(person.sub)
    return found.count if found else None


def test_ten_codes_of_more_than_64_bits_in_order(kari: Person) -> None:
    """SR-39, DESIGN §6: 30 signs that nobody misreads, 15 of them: 73 bits."""
    codes = makes(kari)

    assert len(codes) == len(set(codes)) == 10
    assert not set("".join(codes)) & set("01OILU")
    assert '<ol class="codes" id="codes">' in kari.page.html


def test_they_count_when_their_owner_says_that_they_are_saved(kari: Person) -> None:
    makes(kari)
    assert left(kari) is None
    kari.sends("save")
    assert kari.answer.status_code == 422
    assert "Tick that you have saved the codes." in kari.page.text
    assert left(kari) is None

    kari.sends("save", saved="on")

    assert "Your new recovery codes are ready." in kari.page.text
    assert left(kari) == 10
    with kari.provider.app.app_context():
        assert "recovery_code" in credentials.enrolled(kari.sub)


def test_a_refresh_before_loses_nothing_and_after_shows_nothing(kari: Person) -> None:
    """Page spec §7, §11, SR-39: shown in one journey, until they count; then that they exist, not what they are."""
    codes = makes(kari)
    page = kari.answer.request.path
    assert SPELLED.findall(kari.goes(page).page.html) == codes
    kari.sends("save", saved="on")

    for address in (page, f"{page}/file", "/account/recovery-codes"):
        answer = kari.goes(address).answer
        assert not SPELLED.findall(answer.get_data(as_text=True)), address
    assert "You have 10 recovery codes left." in kari.page.text


def test_who_comes_back_late_proves_who_they_are_before_seeing_them(kari: Person, clock: Clock) -> None:
    """SR-40: an open browser shows them to nobody ten minutes later."""
    makes(kari)
    page = kari.answer.request.path
    clock.advance(11 * 60)

    for address in (page, f"{page}/file"):
        assert kari.goes(address).page.heading == "Confirm that it is you"


def test_another_browser_sees_nothing_of_them(kari: Person) -> None:
    makes(kari)
    page = kari.answer.request.path
    for address in (page, f"{page}/file"):
        stranger = kari.provider.person().goes("/help").goes(address)
        assert not SPELLED.findall(stranger.answer.get_data(as_text=True))


def test_new_ones_void_the_old_and_the_page_says_so_before(kari: Person) -> None:
    """SR-39."""
    old = with_recovery_codes(kari)
    kari.goes("/account/recovery-codes").presses("Make new recovery codes")
    assert "the old ones no longer work" in kari.page.text
    kari.sends("make")
    assert left(kari) == 10
    kari.sends("save", saved="on")

    with kari.provider.app.app_context():
        from idp.clock import now

        factor = kari.provider.parts.engine._tools.recovery_code
        heard = factor.check(kari.sub, old[0].replace("-", ""), journey="x", now=now(), device="")
    assert type(heard).__name__ == "NotProved"
    assert left(kari) == 10


def test_leaving_keeps_the_old_ones(kari: Person) -> None:
    with_recovery_codes(kari)
    with kari.provider.app.app_context():
        before = second_factors.recovery_codes_of(kari.sub)
    makes(kari)
    kari.sends("cancel")

    assert kari.page.heading == "Recovery codes"
    with kari.provider.app.app_context():
        assert second_factors.recovery_codes_of(kari.sub) == before


def test_they_can_be_downloaded_without_a_script(kari: Person) -> None:
    """A20, page spec §11: a text file by the server, in UTF-8, kept by no cache."""
    codes = makes(kari)
    answer = kari.goes(kari.page.links["Download"]).answer
    text = answer.get_data().decode("utf-8")

    assert answer.headers["Content-Disposition"] == "attachment; filename=reservekoder-Alumni.txt"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert SPELLED.findall(text) == codes
    assert f"{kari.email[0]}***@example.no" in text
    assert kari.email not in text


def test_the_printed_sheet_explains_itself(kari: Person) -> None:
    """Page spec §11, A19: service, masked address, date, what to do if it is lost; all in the page as it arrives."""
    makes(kari)
    sheet = " ".join(re.findall(r'<p class="sheet">(.*?)</p>', kari.page.html, re.DOTALL))

    assert "Alumni" in sheet
    assert f"{kari.email[0]}***@example.no" in sheet
    assert re.search(r"\d{1,2} \w+ 20\d\d|\w+ \d{1,2}, 20\d\d", sheet)
    assert "Lost the list? Sign in, choose Security, and make new codes." in sheet


def test_what_is_kept_is_no_code(kari: Person) -> None:
    """SR-39, 63B §3.1.2.2: a password hash, and nothing in clear, also while they are being shown."""
    codes = makes(kari)
    before = everything_kept(kari.provider)
    kari.sends("save", saved="on")
    with kari.provider.app.app_context(), transaction() as connection:
        rows = connection.execute(recovery_codes.select()).all()

    assert len({row.found_by for row in rows}) == 10
    assert all("$argon2id$" in row.verifier for row in rows)
    for kept in (before, everything_kept(kari.provider)):
        assert not [code for code in codes if code.encode() in kept or code.replace("-", "").encode() in kept]


def everything_kept(provider: Provider) -> bytes:
    folder = Path(provider.parts.settings.database.url.removeprefix("sqlite:///")).parent
    return b"".join(path.read_bytes() for path in folder.glob("*.sqlite*"))


def test_a_second_press_makes_no_second_list(kari: Person) -> None:
    codes = makes(kari)
    page = kari.answer.request.path.replace("save-codes", "make-codes")
    kari.goes(page).sends("make")

    assert SPELLED.findall(kari.page.html) == codes


def test_its_owner_hears_of_new_ones(kari: Person) -> None:
    """SR-42: M-10."""
    makes(kari)
    kari.sends("save", saved="on")
    kari.provider.deliver()

    assert kari.provider.outside.messages(kari.email)[-1]["subject"] == "New recovery codes at Alumni"
