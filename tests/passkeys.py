"""People who use passkeys: what the script of a page does, without a browser."""

from __future__ import annotations

from typing import Any

import cbor2
from werkzeug.test import TestResponse

from idp.rules.passkeys import NewPasskey
from idp.services import passkeys
from tests.authenticators import Authenticator
from tests.members import account_id
from tests.people import Person
from tests.reading import Form


def with_passkey(person: Person, *, device: Authenticator | None = None) -> Authenticator:
    """Give this person a passkey on a device; the device."""
    device = device or Authenticator()
    with person.provider.app.app_context():
        key = device.new_key(passkeys.owner(account_id(person)))
        new = NewPasskey(
            credential_id=key.id,
            public_key=cbor2.dumps(device.public(key)),
            sign_count=0,
            aaguid="ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4",
            may_be_synced=device.synced,
            is_synced=device.synced,
        )
        passkeys.add(account_id(person), new, device="")
    return device


def ceremony(person: Person) -> Form:
    """The form that only the script shows."""
    return next(form for form in person.page.forms if "credential" in form.fields)


def asks(person: Person, form: Form) -> TestResponse:
    """What the script asks before the ceremony."""
    told = {"form": form.fields["form"]}
    return person.browser.post(
        f"{form.action}/passkey", base_url="https://login.example", data=told, headers=person.headers
    )


def uses(person: Person, device: Authenticator, **odd: Any) -> Person:
    """Press the passkey button, and do what the device asks."""
    form = ceremony(person)
    answer = asks(person, form)
    assert answer.status_code == 200, answer.status
    return person.posts(form.action, {**form.fields, "credential": device.get(answer.get_json(), **odd)})


def makes(person: Person, device: Authenticator, **odd: Any) -> Person:
    """Press «Create a passkey», and do what the device asks."""
    form = ceremony(person)
    answer = asks(person, form)
    assert answer.status_code == 200, answer.status
    return person.posts(form.action, {**form.fields, "credential": device.create(answer.get_json(), **odd)})


def stops(person: Person) -> Person:
    """Press the button, and close the dialog of the browser."""
    form = ceremony(person)
    return person.posts(form.action, form.fields)
