"""S-APP (page spec §11): setting an authenticator app up, and removing it."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from idp import clock as idp_clock
from idp.services import credentials
from idp.stores.durable import authenticator_apps
from tests.conftest import Clock
from tests.members import account_id, member, with_app
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)


@pytest.fixture
def kari(provider: Provider, clock: Clock) -> Person:
    """Somebody signed in, in the middle of one of the app's thirty seconds."""
    clock.advance(15 - idp_clock.now().timestamp() % 30)
    return provider.person().is_signed_in()


def sets_up(person: Person) -> pyotp.TOTP:
    """The person scans the picture; the app that came of it."""
    person.goes("/account/app").presses("Set up authenticator app")
    return scanned(person)


def scanned(person: Person) -> pyotp.TOTP:
    app = pyotp.parse_uri(person.page.links["Open the app on this device"])
    assert isinstance(app, pyotp.TOTP)
    return app


def shows(app: pyotp.TOTP, *, steps: int = 0) -> str:
    return app.at(idp_clock.now() + timedelta(seconds=30 * steps))


def wrong(app: pyotp.TOTP) -> str:
    right = {shows(app, steps=step) for step in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


def secret_kept(person: Person) -> str | None:
    with person.provider.app.app_context():
        return authenticator_apps.secret_of(account_id(person))


def signs_in_with(person: Person, code: str) -> Person:
    """In a browser of its own, by password and the app."""
    other = person.provider.person(email=person.email, number=person.number)
    return other.comes_from_portal().sends(email=person.email, password=PASSWORD).sends("verify", code=code)


def test_the_first_right_code_makes_the_app_count(kari: Person) -> None:
    """SR-35."""
    app = sets_up(kari)
    kari.sends("verify", code=shows(app))

    assert kari.page.heading == "Authenticator app"
    assert "Your authenticator app is set up." in kari.page.text
    assert secret_kept(kari) == app.secret
    with kari.provider.app.app_context():
        assert credentials.enrolled(kari.sub)[0] == "totp"


def test_the_page_has_picture_key_and_link_and_they_say_the_same(kari: Person) -> None:
    """Page spec §11: drawn here, dark on white; the key in groups of four; SR-35: 160 bits."""
    app = sets_up(kari)

    key = re.search(r'id="key"[^>]*>([A-Z2-7 ]+)<', kari.page.html)
    assert key
    assert key[1].split() == [app.secret[at : at + 4] for at in range(0, 32, 4)]
    assert len(app.secret) == 32
    assert '<div class="qr" role="img" aria-label="QR code. The key is below it."><svg' in kari.page.html
    assert 'fill="#fff"' in kari.page.html
    address = kari.page.links["Open the app on this device"]
    assert unquote(urlsplit(address).path) == f"/Alumni ID:{kari.email}"
    assert parse_qs(urlsplit(address).query)["issuer"] == ["Alumni ID"]
    assert app.secret not in kari.answer.request.url


def test_the_secret_stays_the_same_at_every_look_and_is_kept_nowhere(kari: Person) -> None:
    """SR-35: nothing durable before the first right code; nothing in the short-lived store either."""
    app = sets_up(kari)
    kari.sends("verify", code=wrong(app))
    assert kari.answer.status_code == 422
    assert "Use the code that the app shows now." in kari.page.text

    assert scanned(kari.goes(kari.answer.request.path)).secret == app.secret
    assert secret_kept(kari) is None
    assert b"totp" not in everything_kept(kari.provider)
    assert app.secret.encode() not in everything_kept(kari.provider)


def everything_kept(provider: Provider) -> bytes:
    from pathlib import Path

    folder = Path(provider.parts.settings.database.url.removeprefix("sqlite:///")).parent
    return b"".join(path.read_bytes() for path in folder.glob("*.sqlite*"))


def test_the_secret_is_sealed_when_it_is_kept(kari: Person) -> None:
    """SR-35, SR-124."""
    app = sets_up(kari)
    kari.sends("verify", code=shows(app))

    assert app.secret.encode() not in everything_kept(kari.provider)


def test_each_journey_offers_a_secret_of_its_own(kari: Person) -> None:
    first = sets_up(kari)
    second = sets_up(kari)
    assert first.secret != second.secret

    kari.sends("verify", code=shows(first))
    assert kari.answer.status_code == 422


def test_the_code_that_confirmed_it_signs_nobody_in(provider: Provider, clock: Clock) -> None:
    """SR-36: its time step is used."""
    clock.advance(15 - idp_clock.now().timestamp() % 30)
    kari = member(provider).goes("/account")
    kari.sends(email=kari.email, password=PASSWORD).sends("sms").sends("verify", code=kari.phoned_code())
    app = sets_up(kari)
    code = shows(app)
    kari.sends("verify", code=code)

    again = signs_in_with(kari, code)
    assert "That code has been used." in again.page.text
    clock.advance(30)
    assert "code" in again.sends("verify", code=shows(app)).redirected_to()


def test_a_new_app_takes_the_place_of_the_old_one_and_its_misses(kari: Person, clock: Clock) -> None:
    """SR-17, SR-36: one write; guesses at the old one are forgotten."""
    old = sets_up(kari)
    kari.sends("verify", code=shows(old))
    with kari.provider.app.app_context():
        factor = kari.provider.parts.engine._tools.authenticator_app
        for _ in range(9):
            factor.check(kari.sub, wrong(old), journey="x", now=idp_clock.now())
    kari.goes("/account/app").presses("Set up another app instead")
    new = scanned(kari)
    kari.sends("verify", code=shows(new))

    assert secret_kept(kari) == new.secret
    clock.advance(30)
    with kari.provider.app.app_context():
        heard = [
            factor.check(kari.sub, code, journey="x", now=idp_clock.now())
            for code in (shows(old), wrong(new), shows(new))
        ]
    assert [type(one).__name__ for one in heard] == ["NotProved", "NotProved", "Proved"]


def test_its_owner_hears_of_it(kari: Person) -> None:
    """SR-42: M-9, for the one and for the other."""
    app = sets_up(kari)
    kari.sends("verify", code=shows(app))
    kari.goes("/account/app/remove").sends("remove")
    kari.provider.deliver()

    subjects = [mail["subject"] for mail in kari.provider.outside.messages(kari.email)]
    assert subjects[-2:] == ["New authenticator app at Alumni", "Authenticator app removed at Alumni"]


def test_after_ten_minutes_it_must_be_proved_again_who_sets_it_up(kari: Person, clock: Clock) -> None:
    """SR-40: also of whoever takes so long over the page."""
    app = sets_up(kari)
    clock.advance(11 * 60)
    kari.sends("verify", code=shows(app))

    assert kari.page.heading == "Confirm that it is you"
    assert secret_kept(kari) is None


def test_leaving_sets_nothing_up(kari: Person) -> None:
    sets_up(kari)
    kari.sends("cancel")

    assert kari.page.heading == "Authenticator app"
    assert secret_kept(kari) is None


def test_removing_asks_once_and_takes_its_owner(kari: Person, clock: Clock) -> None:
    """SR-40, page spec §11."""
    with_app(kari)
    kari.goes("/account/app").presses("Remove the authenticator app")
    assert kari.page.heading == "Remove the authenticator app?"
    assert secret_kept(kari)
    clock.advance(11 * 60)
    kari.sends("remove")
    assert kari.page.heading == "Confirm that it is you"
    assert secret_kept(kari)

    clock.advance(-11 * 60)
    kari.goes("/account/app/remove").sends("remove")
    assert "Your authenticator app is removed." in kari.page.text
    assert secret_kept(kari) is None


def test_the_last_second_step_is_not_removed(kari: Person) -> None:
    """SR-62; recovery codes run out, so they are none."""
    with_app(kari)
    kari.goes("/account/app/remove")
    form = kari.page.form_with("remove")
    with kari.provider.app.app_context():
        from idp.stores.durable.credentials import phones
        from idp.stores.durable.db import transaction

        with transaction() as connection:
            connection.execute(phones.delete())
    kari.posts(form.action, {**form.fields, "do": "remove"})
    assert kari.answer.status_code == 404
    kari.goes("/account/app/remove")
    assert "The app is your only extra security step." in kari.page.text
    assert secret_kept(kari)


def test_there_is_no_page_to_remove_what_is_not_there(kari: Person) -> None:
    assert kari.goes("/account/app/remove").answer.status_code == 404


def test_a_proof_by_an_app_that_was_removed_meanwhile_resets_nothing(provider: Provider, clock: Clock) -> None:
    """SR-62: what is removed counts nowhere, also not in what is under way."""
    clock.advance(15 - idp_clock.now().timestamp() % 30)
    ola = member(provider)
    app = with_app(ola)
    ola.comes_from_portal().presses("Forgotten your password?").sends(email=ola.email)
    ola.sends("verify", code=ola.mailed_code()).sends("verify", code=shows(app))
    assert ola.step == "new-password"
    with provider.app.app_context():
        authenticator_apps.remove(account_id(ola))
    ola.sends("save", new_password="fire grå hester sover", confirm_password="fire grå hester sover")

    assert ola.page.heading == "Forgotten your password?"
