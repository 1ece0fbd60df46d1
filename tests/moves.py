"""What people do to move to another address or phone, in few words."""

from __future__ import annotations

import re
from typing import Any

from tests.people import Person, Provider

CODE = re.compile(r"\b[2-9A-HJKMNP-TV-Z]{5}(?:-[2-9A-HJKMNP-TV-Z]{5}){2}\b")


def asks_for(person: Person, address: str) -> Person:
    """Ask at «Min konto» for another address."""
    return person.goes("/account").presses("Change email address").sends("send", email=address)


def changes_address(person: Person, address: str) -> Person:
    """All of S-EMAIL, by somebody who has just signed in."""
    asks_for(person, address)
    person.provider.deliver()
    return person.sends("verify", code=person.provider.outside.code(address))


def changes_phone(person: Person, number: str) -> Person:
    """All of S-PHONE, by somebody who has just signed in."""
    person.goes("/account").presses("Change phone number").sends("sms", country="NO", tel=number)
    person.provider.deliver()
    return person.sends("verify", code=person.provider.outside.code(number))


def mails(provider: Provider, to: str) -> list[dict[str, Any]]:
    """What has come to an address or a number, oldest first."""
    provider.deliver()
    found: list[dict[str, Any]] = provider.outside.messages(to)
    return found


def undo_code(text: str) -> str:
    """The undo code in a message; empty when it has none."""
    found = CODE.search(text)
    return found[0] if found else ""


def undoes(person: Person, code: str) -> Person:
    """Type a code at the page for it, in a browser of one's own."""
    return person.goes("/undo").sends("undo", undo_code=code)
