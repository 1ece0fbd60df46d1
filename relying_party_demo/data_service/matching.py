"""Which employee somebody is: by national number, and by nothing less.

The same name and birth date may be another person. Such a near miss is for the employer's HR to look at,
and the caller hears what every stranger hears.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

LETTERS = str.maketrans({"æ": "ae", "ø": "o", "å": "aa", "ö": "o", "ä": "ae", "đ": "d", "ł": "l", "ß": "ss"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the provider has verified somebody to be."""

    country: str
    number: str | None = field(repr=False)
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    birthdate: str | None = field(repr=False)
    """ISO 8601."""


class Known(Protocol):
    """What the register holds of an employee."""

    @property
    def country(self) -> str: ...  # noqa: D102
    @property
    def national_number(self) -> str: ...  # noqa: D102
    @property
    def birthdate(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102


Employee = TypeVar("Employee", bound=Known)


def match(identity: Identity, employees: Iterable[Employee]) -> Employee | None:
    """The employee with this country and number, however HR has written it. None for anybody else.

    Equal numbers of two countries are two people.
    """
    wanted = plain(identity.number or "")
    if not wanted:
        return None
    for employee in employees:
        if employee.country == identity.country and plain(employee.national_number) == wanted:
            return employee
    return None


def plain(number: str) -> str:
    """A national number without spaces, hyphens and points. Other signs tell people apart (Finland's `+` and `A`)."""
    return re.sub(r"[\s.-]", "", number).upper()


def is_near(identity: Identity, employee: Known) -> bool:
    """Whether birth date and folded names are the same, and so somebody should look: perhaps a number has changed."""
    same_day = identity.birthdate is not None and identity.birthdate == employee.birthdate
    words = folded(f"{identity.given_name} {identity.family_name}")
    return same_day and bool(words) and words == folded(employee.name)


def folded(name: str) -> frozenset[str]:
    """The words of a name without marks, case, hyphens, apostrophes and order."""
    whole = unicodedata.normalize("NFKC", name).casefold().translate(LETTERS)  # å is one letter before it is told apart
    spread = re.sub(r"['’ʼ]", "", unicodedata.normalize("NFKD", whole))
    letters = "".join(letter if letter.isalpha() else " " for letter in spread if not unicodedata.combining(letter))
    return frozenset(letters.split())
