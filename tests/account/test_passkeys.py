"""S-PASSKEYS (page spec §11): making, naming and removing passkeys."""

from __future__ import annotations

import html
import json
import re

import pytest

from idp.services import passkeys
from idp.stores.durable import credentials
from idp.stores.durable.db import transaction
from tests.authenticators import Authenticator, Key, encoded
from tests.conftest import Clock
from tests.members import account_id, member, sessions_of
from tests.passkeys import ceremony, makes, stops, uses, with_passkey
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)


@pytest.fixture
def kari(provider: Provider) -> Person:
    """Somebody who has just signed in to her own page."""
    return walks_in(member(provider).goes("/account"))


def walks_in(person: Person) -> Person:
    person.sends(email=person.email, password=PASSWORD).sends("sms")
    return person.sends("verify", code=person.phoned_code())


def elsewhere(person: Person) -> Person:
    return person.provider.person(email=person.email, number=person.number)


def ids(person: Person) -> list[str]:
    with person.provider.app.app_context():
        return [one.id for one in passkeys.listed(account_id(person))]


def subjects(person: Person) -> list[str]:
    person.provider.deliver()
    return [message["subject"] for message in person.provider.outside.messages(person.email)]


def test_a_passkey_is_made_and_signs_in(kari: Person) -> None:
    """SR-42: told by M-9; SR-53: a new session."""
    before = kari.browser.get_cookie("__Host-session", domain="login.example")
    kari.presses("View and change passkeys").presses("Create a passkey")
    assert kari.page.heading == "Sign in faster next time"
    device = Authenticator(synced=True, aaguid=bytes.fromhex("fbfc3007154e4ecc8c0b6e020557d7bd"))

    makes(kari, device)

    assert kari.page.heading == "Passkeys"
    assert "Your passkey is created." in kari.page.text
    assert "Apple Passwords Kept by your password store, on all your devices" in kari.page.text
    assert "Not used yet" in kari.page.text
    after = kari.browser.get_cookie("__Host-session", domain="login.example")
    assert before
    assert after
    assert before.value != after.value
    assert "New passkey at Alumni" in subjects(kari)
    uses(elsewhere(kari).comes_from_portal(), device)
    assert "Last used" in kari.goes("/account/passkeys").page.text


def test_without_a_script_the_list_works_and_making_one_says_why_not(kari: Person) -> None:
    """Page spec §7, §11."""
    with_passkey(kari)
    kari.goes("/account/passkeys")
    assert "You need JavaScript to create a passkey." in kari.page.html
    assert re.search(r"<p class=\"buttons\" data-passkeys hidden>", kari.page.html)
    kari.goes("/account/passkeys/new")
    assert "You need JavaScript to create a passkey." in kari.page.html
    kari.sends("cancel")
    assert kari.page.heading == "Passkeys"


def test_what_was_stopped_can_be_tried_again(kari: Person) -> None:
    stops(kari.goes("/account/passkeys/new"))
    assert "No passkey was created. Try again now, or later under Security." in kari.page.text
    makes(kari, Authenticator())
    assert "Your passkey is created." in kari.page.text


class Again(Authenticator):
    """A device that brings the passkey it has for another one."""

    def new_key(self, handle: bytes) -> Key:
        return self.keys[0]


def test_one_that_is_known_already_is_not_made_twice(kari: Person) -> None:
    device = Authenticator()
    makes(kari.goes("/account/passkeys/new"), device)
    other = walks_in(member(kari.provider).goes("/account")).goes("/account/passkeys/new")

    makes(other, Again(keys=device.keys))

    assert "No passkey was created." in other.page.text
    assert ids(other) == []


def test_both_factors_of_the_last_minutes_come_first(kari: Person, clock: Clock) -> None:
    """SR-40: P-RECHECK, by password and code."""
    clock.advance(11 * 60)
    kari.goes("/account/passkeys/new")
    assert kari.page.heading == "Confirm that it is you"
    kari.sends("sign-in", password=PASSWORD).sends("sms")
    kari.sends("verify", code=kari.phoned_code())
    makes(kari, Authenticator())
    assert "Your passkey is created." in kari.page.text


def test_a_passkey_alone_is_recheck_enough_but_no_other_accounts(kari: Person, clock: Clock) -> None:
    """SR-38, SR-40: UV makes it both factors; it must be the owner's."""
    device, stranger = with_passkey(kari), with_passkey(member(kari.provider))
    clock.advance(11 * 60)
    kari.goes("/account/passkeys/new")
    uses(kari, stranger, key=stranger.keys[0])
    assert "The sign-in was stopped." in kari.page.text
    uses(kari, device)
    assert kari.page.heading == "Sign in faster next time"


def test_a_name_of_ones_own(kari: Person) -> None:
    with_passkey(kari)
    kari.goes("/account/passkeys")
    assert "Google Password Manager" in kari.page.text
    path = f"/account/passkeys/{ids(kari)[0]}/name"
    kari.goes(path).sends("save", nickname="x" * 61)
    assert kari.answer.status_code == 422
    assert "The name can have 60 characters at most." in kari.page.text
    kari.sends("save", nickname="  Kari's <b>phone</b> ")
    assert "The passkey has a new name." in kari.page.text
    assert "Kari's <b>phone</b>" in html.unescape(kari.page.html)
    assert "<b>phone" not in kari.page.html
    kari.goes(path).sends("save", nickname="")
    assert "Google Password Manager" in kari.page.text


def test_removing_one_ends_other_sessions_and_is_told(kari: Person) -> None:
    """SR-42, SR-88: its holder may be a thief."""
    device = with_passkey(kari)
    other = uses(elsewhere(kari).goes("/account"), device)
    assert other.page.heading == "Security"
    assert sessions_of(kari) == 2

    kari.goes(f"/account/passkeys/{ids(kari)[0]}/remove")
    assert "It is your last one. After that you sign in with your password and a code." in kari.page.text
    kari.sends("remove")

    assert "The passkey is removed here. Delete it in the password store of your device, too." in kari.page.text
    assert ids(kari) == []
    assert other.goes("/account").page.heading == "Sign in"
    assert kari.goes("/account").page.heading == "Security"
    assert "Passkey removed at Alumni" in subjects(kari)
    uses(elsewhere(kari).comes_from_portal(), device)


def test_removing_one_asks_for_proofs_of_the_last_minutes(kari: Person, clock: Clock) -> None:
    """SR-40: what was asked for is carried out after them, and leaving leaves it."""
    device = with_passkey(kari)
    clock.advance(11 * 60)
    kari.goes(f"/account/passkeys/{ids(kari)[0]}/remove").sends("remove")
    assert kari.page.heading == "Confirm that it is you"
    kari.sends("cancel")
    assert len(ids(kari)) == 1

    kari.goes(f"/account/passkeys/{ids(kari)[0]}/remove").sends("remove")
    uses(kari, device)
    assert "The passkey is removed here." in kari.page.text
    assert ids(kari) == []


def test_the_only_second_step_stays(kari: Person) -> None:
    """SR-62: an account is never left without one."""
    with_passkey(kari)
    kari.goes(f"/account/passkeys/{ids(kari)[0]}/remove")
    form = kari.page.form_with("remove")
    with kari.provider.app.app_context(), transaction() as connection:
        connection.execute(credentials.phones.delete())

    kari.posts(form.action, {**form.fields, "do": "remove"})

    assert "Nothing was removed: this passkey is the only second step that your account has." in kari.page.text
    assert len(ids(kari)) == 1
    kari.goes(f"/account/passkeys/{ids(kari)[0]}/remove")
    assert "This is the only second step that your account has." in kari.page.text


def test_nobody_elses_passkey_is_seen_named_or_removed(kari: Person) -> None:
    ola = member(kari.provider)
    with_passkey(ola)
    with_passkey(kari)
    theirs = ids(ola)[0]
    for path in ("name", "remove"):
        assert kari.goes(f"/account/passkeys/{theirs}/{path}").answer.status_code == 404
    form = kari.goes(f"/account/passkeys/{ids(kari)[0]}/remove").page.form_with("remove")
    kari.posts(f"/account/passkeys/{theirs}/remove", {**form.fields, "do": "remove"})
    assert kari.answer.status_code == 404
    assert len(ids(ola)) == 1


def test_password_stores_hear_which_passkeys_count(kari: Person) -> None:
    """The Signal API (WebAuthn L3)."""
    device = with_passkey(kari)
    found = re.search(r'data-signals="([^"]*)"', kari.goes("/account/passkeys").page.html)
    assert found
    who = {"rpId": "login.example", "userId": encoded(device.keys[0].handle)}
    assert json.loads(html.unescape(found[1])) == {
        "signalAllAcceptedCredentials": {**who, "allAcceptedCredentialIds": [encoded(device.keys[0].id)]},
        "signalCurrentUserDetails": {**who, "name": kari.email, "displayName": kari.email},
    }


def test_a_passkey_is_made_in_no_sign_in_of_a_service(kari: Person) -> None:
    """SR-44: a journey of a service is no way into a change of the account, and gets no options for one."""
    kari.comes_from_portal(prompt="login")
    form = ceremony(with_a_passkey(kari))
    there = form.action.replace("/sign-in/login", "/add-passkey/new-passkey")
    told = {"form": form.fields["form"]}
    answer = kari.browser.post(f"{there}/passkey", base_url="https://login.example", data=told)
    assert answer.status_code == 403


def with_a_passkey(person: Person) -> Person:
    with_passkey(person)
    return person.goes(person.answer.request.path if person.answer else "/")
