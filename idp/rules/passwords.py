"""New passwords: length, normal form, what everybody uses (SR-1 to SR-5).

The block-list is whole passwords: the commonest ones, and what people make of them to get them long
enough (twice over, two together, with a year or a row of digits behind). Some ten million passwords are
refused by it without being listed one by one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from idp.rules.identifiers import Malformed

LONGEST = 128
"""Code points; more than any person types, few enough to hash (SR-2)."""

LONGEST_BYTES = 512

FEWEST_PERSONAL = 4
"""Shorter words, such as a two-letter local part, are in half of all passwords."""

TAIL = re.compile(r"[0-9!?.,*#$@&%+_-]{0,8}$")
SUBSTITUTES = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
ROWS = ("1234567890", "qwertyuiopå", "asdfghjkløæ", "zxcvbnm", "qwertyuiop", "asdfghjkl", "abcdefghijklmnopqrstuvwxyz")
LISTS = ("passwords", "english_wikipedia", "female_names", "male_names", "surnames")
SERVICE_WORDS = ("passord", "velkommen", "sommer", "vinter", "hemmelig", "norge", "alumni", "bankid", "smartid")


def normalise(text: str) -> str:
    """Unicode NFC and nothing else, at set and at check alike (SR-4)."""
    return unicodedata.normalize("NFC", text)


def faults(password: str, *, minimum: int, personal: Sequence[str]) -> tuple[Malformed, ...]:
    """All that is wrong with a new password: E-PW-SHORT, -LONG, -COMMON, -PERSONAL; empty when it is good.

    `minimum` counts code points. `personal` are words of this person and service (SR-5).
    """
    text = normalise(password)
    if len(text) > LONGEST or len(text.encode()) > LONGEST_BYTES:
        return (Malformed("E-PW-LONG", {"n": LONGEST}),)
    found = []
    if len(text) < minimum:
        found.append(Malformed("E-PW-SHORT", {"n": minimum}))
    folded = text.casefold()
    if is_common(folded):
        found.append(Malformed("E-PW-COMMON"))
    if any(word in folded for word in _words(personal)):
        found.append(Malformed("E-PW-PERSONAL"))
    return tuple(found)


def is_common(folded: str) -> bool:
    """Whether a case-folded password is one of those that are tried first."""
    plain = "".join(folded.split())
    return any(_guessable(candidate) for candidate in {plain, plain.translate(SUBSTITUTES)})


def _guessable(text: str) -> bool:
    if text in _common() or len(set(text)) <= 3 or _is_row(text) or _repeats(text):
        return True
    stem = TAIL.sub("", text)
    if not stem or stem in _common() or _repeats(stem) or _is_row(stem):
        return True
    return any(
        stem[:cut] in _commonest() and (stem[cut:] in _commonest() or stem[cut:].isdigit())
        for cut in range(3, len(stem) - 2)
    )


def _repeats(text: str) -> bool:
    return any(
        len(text) % size == 0 and text == text[:size] * (len(text) // size) for size in range(1, len(text) // 2 + 1)
    )


def _is_row(text: str) -> bool:
    """Keyboard walks, forwards and backwards, wrapped around."""
    return any(text in line * 3 or text[::-1] in line * 3 for line in ROWS)


def _words(personal: Sequence[str]) -> set[str]:
    words: set[str] = set()
    for text in personal:
        folded = normalise(text).casefold()
        words |= {folded, *folded.split("@"), *re.split(r"[^\w]+", folded.partition("@")[0])}
    return {word for word in words if len(word) >= FEWEST_PERSONAL}


@cache
def _common() -> frozenset[str]:
    listed = (word for name in LISTS for word in FREQUENCY_LISTS.get(name, ()))
    return frozenset((*listed, *SERVICE_WORDS))


@cache
def _commonest() -> frozenset[str]:
    """The ten thousand commonest passwords: what long ones are put together from."""
    return frozenset((*FREQUENCY_LISTS["passwords"][:10_000], *SERVICE_WORDS))
