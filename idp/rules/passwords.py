"""New passwords: length, normal form, what everybody uses, what everybody knows of this person (SR-1 to SR-5)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from idp.rules.common_passwords import is_common
from idp.rules.identifiers import Malformed

LONGEST = 128
"""Code points; more than any person types, few enough to hash (SR-2)."""

LONGEST_BYTES = 512

FEWEST_PERSONAL = 4
"""Shorter words, such as a two-letter local part, are in half of all passwords."""

FEWEST_INSIDE = 6
"""A shorter personal word counts only where it stands by itself: `hans` is not in `hansken`."""

FEWEST_DIGITS = 6
"""Digits of a phone number that must not stand in a password."""


def normalise(text: str) -> str:
    """Unicode NFC and nothing else, at set and at check alike (SR-4)."""
    return unicodedata.normalize("NFC", text)


def faults(password: str, *, minimum: int, personal: Sequence[str]) -> tuple[Malformed, ...]:
    """All that is wrong with a new password: E-PW-SHORT, -LONG, -COMMON, -PERSONAL; empty when it is good.

    `minimum` counts code points. `personal` are words of this person and service: addresses as typed, phone
    numbers, names (SR-5). Too long a password is judged no further, so that its cost is bounded (SR-2).
    """
    text = normalise(password)
    if len(text) > LONGEST or len(text.encode(errors="surrogatepass")) > LONGEST_BYTES:
        return (Malformed("E-PW-LONG", {"n": LONGEST}),)
    found = []
    if len(text) < minimum:
        found.append(Malformed("E-PW-SHORT", {"n": minimum}))
    folded = text.casefold()
    if is_common(folded):
        found.append(Malformed("E-PW-COMMON"))
    if any(_has(folded, word) for word in _words(personal)):
        found.append(Malformed("E-PW-PERSONAL"))
    return tuple(found)


def _has(folded: str, word: str) -> bool:
    if len(word) >= FEWEST_INSIDE:
        return word in folded or word in re.sub(r"[\W_]", "", folded)
    return re.search(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])", folded) is not None


def _words(personal: Sequence[str]) -> set[str]:
    return {word for text in personal for word in _words_of(normalise(text).casefold())}


def _words_of(folded: str) -> Iterator[str]:
    digits = re.sub(r"\D", "", folded)
    if len(digits) >= FEWEST_DIGITS and "@" not in folded:
        yield digits[-8:]
    local = folded.partition("@")[0]
    for word in (folded, local, re.sub(r"[\W_]", "", local), *re.split(r"[\W\d_]+", local)):
        if len(word) >= FEWEST_PERSONAL:
            yield word
