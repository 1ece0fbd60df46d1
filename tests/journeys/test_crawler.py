"""From every state that a stranger can reach, every form of every journey is sent, and nothing of the account moves.

The forms are good ones: drawn for this browser, this journey and this very step, so that what holds is the derivation
of the step and the proofs, and not the token of the form (SR-40, SR-44, SR-57, SR-61, SR-62).
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from idp import clock
from idp.journeys.steps import Journey
from idp.journeys.table import JOURNEYS
from idp.services import accounts, recovery
from idp.stores.durable import authenticator_apps, credentials, former_addresses, passkeys, recovery_codes
from idp.stores.durable import identities as kept
from idp.stores.durable import sessions as listed
from idp.stores.durable import undoable_changes as undoable
from idp.stores.durable.db import transaction
from idp.stores.durable.identities import Identity
from tests.eid.conftest import eid, provider
from tests.eid.scripted import KARI, Scripted, verified
from tests.members import account_id, member, with_app
from tests.people import PASSWORD, Person, Provider

__all__ = ["eid", "provider"]

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)

NEW = "fire grå hester sover stille"
THIEFS_ADDRESS, THIEFS_NUMBER = "thief@example.no", "+4797000067"
PRESSED = ("", "sms", "resend", "start:test-eid:app", "check")
"""Whatever a button says that is handled apart; all others do what the form itself does."""


@pytest.fixture
def kari(provider: Provider) -> Person:
    """The owner: phone, app, and an identity that was proved once. Support has opened a recovery."""
    person = member(provider)
    with_app(person)
    identity = account_id(person)
    known = Identity(
        country=KARI["country"], number=KARI["number"], given_name="Kari", family_name="Nordmann", birthdate=None
    )
    with provider.app.app_context():
        kept.link(identity, known, now=clock.now())
        recovery.start(identity, reason="asked", settings=provider.parts.settings.recovery)
    return person


def nothing(thief: Person, _: Scripted) -> None:
    """At the sign-in page."""


def own_mailbox(thief: Person, _: Scripted) -> None:
    """A mailbox of one's own, proved in a sign-up of the same journey."""
    thief.presses("Sign up now").sends(email=THIEFS_ADDRESS)
    thief.provider.deliver()
    thief.sends("verify", code=thief.provider.outside.code(THIEFS_ADDRESS))


def mailbox(thief: Person, _: Scripted) -> None:
    """The owner's mailbox, as in a reset."""
    thief.presses("Forgotten your password?").sends(email=thief.email)
    thief.sends("verify", code=thief.mailed_code())


def password(thief: Person, _: Scripted) -> None:
    """The owner's password."""
    thief.sends(email=thief.email, password=PASSWORD)


def password_and_mailbox(thief: Person, eid: Scripted) -> None:
    """Both, as support's way asks; without support's code."""
    password(thief, eid)
    thief.presses("Cannot use your phone?").presses("Use the support code you were given")
    thief.sends("resend").sends("verify", code=thief.mailed_code())


def password_and_eid(thief: Person, eid: Scripted) -> None:
    """The recovery state itself."""
    password(thief, eid)
    eid.says = lambda now: verified(KARI, at=now)
    thief.presses("Cannot use your phone?").presses("Confirm with BankID or Smart-ID")
    thief.sends("start:test-eid:app").sends("check")


STATES: dict[str, tuple[Callable[[Person, Scripted], None], bool]] = {
    "nothing": (nothing, False),
    "own mailbox": (own_mailbox, False),
    "mailbox": (mailbox, False),
    "password": (password, True),
    "password and mailbox": (password_and_mailbox, True),
    "password and eID": (password_and_eid, True),
}
"""How each is reached, and whether the password is known there."""


def belongings(person: Person) -> dict[str, Any]:
    """All that the account is signed in to with, and where it is signed in."""
    identity, now = account_id(person), clock.now()
    with person.provider.app.app_context(), transaction():
        account, phone = accounts.by_id(identity), credentials.phone_of(identity)
        return {
            "address": account.email if account else None,
            "active": account.active if account else None,
            "verifier": credentials.verifier_of(identity),
            "phone": phone.number if phone else None,
            "app": authenticator_apps.secret_of(identity),
            "passkeys": len(passkeys.of_account(identity)),
            "recovery codes": recovery_codes.left(identity),
            "identity": known.number if (known := kept.of_account(identity)) else None,
            "former addresses": former_addresses.of_account(identity, now=now),
            "waiting": [change.kind for change in undoable.of_account(identity, now=now)],
            "sessions": len(listed.live(identity, now=now)),
        }


def crawls(thief: Person, *, knows_password: bool, code: str) -> None:
    """Send every form of every journey, filled in with all that the thief has."""
    assert thief.answer is not None
    journey_id = thief.answer.request.path.split("/")[2]
    for journey in JOURNEYS.values():
        for step in journey.steps:
            for pressed in PRESSED:
                sends(thief, journey_id, journey, step.name, pressed, knows_password=knows_password, code=code)


def sends(
    thief: Person, journey_id: str, journey: Journey, step: str, pressed: str, *, knows_password: bool, code: str
) -> None:
    """One form, straight to its step."""
    cookie = thief.browser.get_cookie("__Host-browser", domain="login.example")
    assert cookie is not None
    browser = sha256(cookie.value.encode()).hexdigest()
    path = f"/journey/{journey_id}/{journey.name}/{step}"
    form = {
        "form": thief.provider.parts.tokens.make(browser, path.removeprefix("/journey/")),
        "do": pressed,
        "email": thief.email if step == "login" else THIEFS_ADDRESS,
        "password": PASSWORD if knows_password else NEW,
        "new-password": NEW,
        "confirm-password": NEW,
        "country": "NO",
        "tel": THIEFS_NUMBER,
        "code": code,
        "recovery-code": "22222-33333-44444",
        "support-code": "22222-33333-44444",
        "saved": "on",
    }
    answer = thief.browser.post(path, base_url="https://login.example", data=form, headers=thief.headers)
    assert answer.status_code < 500, f"{path} {pressed}"
    assert "code=" not in answer.headers.get("Location", "")


@pytest.mark.parametrize("state", STATES)
def test_nothing_of_an_account_moves_without_the_proofs_for_it(
    provider: Provider, kari: Person, eid: Scripted, state: str
) -> None:
    reached, knows_password = STATES[state]
    before = belongings(kari)
    thief = provider.person(email=kari.email, number=THIEFS_NUMBER).comes_from_portal()
    reached(thief, eid)

    crawls(thief, knows_password=knows_password, code="000000")
    provider.deliver()
    if provider.outside.messages(THIEFS_NUMBER):  # a phone of one's own can be proved, and gets one no further
        crawls(thief, knows_password=knows_password, code=provider.outside.code(THIEFS_NUMBER))

    after = belongings(kari)
    if state == "password and eID":  # its proofs are there: a number waits, which the owner was told, and nothing more
        assert set(after.pop("waiting")) <= {"phone"}
        before.pop("waiting")
    assert after == before
    every_other_door_is_shut(thief)


def every_other_door_is_shut(thief: Person) -> None:
    """SR-51: no page of the account, no authorization, no claims."""
    for path in ("/account", "/account/email", "/account/phone", "/account/undo", "/account/devices"):
        assert thief.goes(path).page.heading == "Sign in"
    silent = thief.browser.get(
        "/authorize", query_string=thief.request(prompt="none"), base_url="https://login.example", headers=thief.headers
    )
    assert "error=login_required" in silent.headers["Location"]
    assert thief.browser.get("/userinfo", base_url="https://login.example").status_code == 401
