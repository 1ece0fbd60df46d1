"""Scopes in plain words, for the page that asks for consent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from flask_babel import gettext

WORDS: dict[str, Callable[[], str]] = {
    "openid": lambda: gettext("That you have an account here"),
    "profile": lambda: gettext("Your language, and when your details last changed"),
    "email": lambda: gettext("Your email address"),
    "phone": lambda: gettext("Your phone number"),
    "payslips": lambda: gettext("Your payslips"),
    "national_number": lambda: gettext("Your national identity number"),
    "offline_access": lambda: gettext("Access also while you are not signed in"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a client asks for."""

    scope: str
    text: str
    required: bool


def items(scopes: Iterable[str], *, optional: Collection[str]) -> tuple[Item, ...]:
    """What is asked for, in words. A scope that an operator made up is shown by its name."""
    return tuple(
        Item(scope, WORDS[scope]() if scope in WORDS else scope.replace("_", " "), scope not in optional)
        for scope in scopes
    )
