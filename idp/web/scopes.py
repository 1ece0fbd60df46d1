"""Scopes and authorization details in plain words, for the page that asks for consent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from flask_babel import gettext

from idp.rules.authorization_details import AlumniRecords

WORDS: dict[str, Callable[[], str]] = {
    "openid": lambda: gettext("That you have an account here"),
    "profile": lambda: gettext("Your language, and your name and date of birth if you have confirmed who you are"),
    "email": lambda: gettext("Your email address"),
    "phone": lambda: gettext("Your phone number"),
    "payslips": lambda: gettext("Your payslips"),
    "national_number": lambda: gettext("Your national identity number"),
    "offline_access": lambda: gettext("Access also while you are not signed in"),
}


RECORDS: dict[str, Callable[[], str]] = {
    "payslips": WORDS["payslips"],
    "tax_papers": lambda: gettext("Your tax papers from your employers"),
    "employment": lambda: gettext("Where you have worked, and when"),
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


def of_records(details: Iterable[AlumniRecords]) -> tuple[Item, ...]:
    """What the details come to, one kind of record a line, and of which employer where that is said."""
    lines = [
        gettext("%(records)s (only from %(employer)s)", records=RECORDS[kind](), employer=detail.employer)
        if detail.employer
        else RECORDS[kind]()
        for detail in details
        for kind in detail.datatypes
    ]
    return tuple(Item("", line, required=True) for line in dict.fromkeys(lines))
