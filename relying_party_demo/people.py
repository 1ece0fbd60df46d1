"""The demo's people. They sign up through the real pages, as anybody would."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from argon2 import PasswordHasher

from .layout import Layout
from .registration import read_json, run_idp, write_private
from .visitor import Lost, Visitor


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody invented. The number rings only in the outside world."""

    name: str
    email: str
    password: str
    phone: str
    note: str
    brought_in: bool = False


PEOPLE = (
    Person(
        name="Kari Nordmann",
        email="kari.nordmann@example.org",
        password="fjelltur med niste",  # noqa: S106  # as invented as the rest
        phone="+4740612345",
        note="Two factors are set up. Her access window is open; BankID shows it.",
    ),
    Person(
        name="Ola Hansen",
        email="ola.hansen@example.org",
        password="seiltur rundt kysten",  # noqa: S106  # as invented as the rest
        phone="+4740612346",
        note="Two factors are set up. His access window has closed, as BankID shows.",
    ),
    Person(
        name="Aino Virtanen",
        email="aino.virtanen@example.org",
        password="tuhat jarvea ja saari",  # noqa: S106  # as invented as the rest
        phone="+358401234567",
        note="Brought in from another system: no phone yet, the first sign-in asks for it.",
        brought_in=True,
    ),
)


def seed(layout: Layout) -> list[dict[str, str]]:
    """Make accounts for those who have none yet. Gives what the ready line says of each. Raises Lost, Failed."""
    file = layout.file("people.json")
    subjects: dict[str, str] = read_json(file) or {}
    for person in PEOPLE:
        if person.email not in subjects:
            (_bring_in if person.brought_in else _sign_up)(layout, person)
            subjects[person.email] = json.loads(run_idp(layout, "person", "find", person.email, "--json"))["id"]
            write_private(file, json.dumps(subjects, indent=2))
    told = ("name", "email", "password", "phone", "note")
    return [{name: asdict(person)[name] for name in told} for person in PEOPLE]


def _sign_up(layout: Layout, person: Person) -> None:
    """The whole of sign-up, from «Logg inn» on the portal and back to it."""
    visitor = Visitor(layout.url("outside_world"))
    try:
        before = visitor.last_message()
        visitor.opens(layout.url("portal") + "/login")
        visitor.follows("/sign-up")
        visitor.presses("send", email=person.email)
        visitor.presses("verify", code=visitor.code(person.email, after=before))
        if visitor.at == "have-account":  # an earlier first start was cut off just before it wrote this down
            return
        visitor.presses("create", new_password=person.password, confirm_password=person.password)
        visitor.presses("sms", tel=person.phone)
        visitor.presses("verify", code=visitor.code(person.phone, after=before))
        if not visitor.page.url.startswith(layout.url("portal")):
            raise Lost(f"sign-up of {person.name} ended at {visitor.page.url}")
    finally:
        visitor.close()


def _bring_in(layout: Layout, person: Person) -> None:
    """An account from elsewhere: an address and a password hash, no second factor."""
    hashed = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash(person.password)
    line = {"email": person.email, "locale": "nb", "password_hash": hashed}
    run_idp(layout, "person", "import", "-", given=json.dumps(line) + "\n")
