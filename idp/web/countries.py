"""The countries of the phone page, in the reader's language and alphabet (page spec §8.2)."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from functools import lru_cache

import phonenumbers
from babel import Locale
from babel.core import get_global

Choice = tuple[str, str]
"""ISO code and what is read: `("NO", "Norge (+47)")`."""

FIRST = 11
"""How many of the operator's countries head the list."""

LAST_LETTERS = {"nb": "æøå", "da": "æøå", "sv": "åäö", "fi": "åäö", "et": "šzžõäöü"}
"""Letters that stand after z, in this order."""

AS_IF = {"nb": {"ä": "æ", "ö": "ø", "ü": "y"}, "da": {"ä": "æ", "ö": "ø", "ü": "y"}, "sv": {"æ": "ä", "ø": "ö"}}
"""Neighbours' letters stand where one's own would."""


@lru_cache(maxsize=32)
def choices(language: str, codes: tuple[str, ...]) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
    """The usual countries in the operator's order, and all of them by the language's alphabet."""
    named = [(code, f"{name(code, language)} (+{phonenumbers.country_code_for_region(code)})") for code in codes]
    in_order = sorted(named, key=lambda choice: alphabetical(choice[1], language))
    return tuple(named[:FIRST]), tuple(in_order)


def name(code: str, language: str) -> str:
    """What a country is called."""
    return str(Locale.parse(language).territories.get(code, code))


def time_zones(codes: Collection[str]) -> list[str]:
    """The zones of these countries, by their IANA names."""
    return [zone for zone, territory in get_global("zone_territories").items() if territory in codes]


def alphabetical(text: str, language: str) -> tuple[tuple[int, str], ...]:
    """A sort key: letters of the language's own after z, accents of others as if they were not there."""
    last, as_if = LAST_LETTERS.get(language, ""), AS_IF.get(language, {})
    key = []
    for letter in unicodedata.normalize("NFC", text.lower()):
        known = as_if.get(letter, letter)
        if known in last:
            key.append((1, f"{last.index(known):02d}"))
        else:
            key.append((0, unicodedata.normalize("NFD", known)[0]))
    return tuple(key)
