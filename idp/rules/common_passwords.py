"""Passwords that are tried first: a list, and what people make of it to get a password long enough.

Whole passwords are judged, never parts of them (SR-5). The list is zxcvbn's: thirty thousand leaked
passwords, commonest first, with names and dictionary words. Few of those meet a minimum of twelve, so the
long ones are held as rules: a common one twice over, two together, keyboard walks, and any of these with
digits or punctuation around. That is hundreds of millions of passwords, tens of thousands at each length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

COMMONEST = 10_000
"""How many of the leaked passwords long ones are put together from."""

LONGEST_FILLER = 8
"""Digits and punctuation around common words that add nothing: a date, a row of exclamation marks."""

FEWEST_IN_ROW = 4
"""Neighbouring keys that make a walk."""

_SUBSTITUTES = str.maketrans("013457@$!", "oieastasi")
_FILLER = re.compile(r"[0-9!?.,:;*#$@&%+_=/()-]+")

_LINES = (
    "1234567890", "qwertyuiopå", "qwertyuiop", "asdfghjkløæ", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop",
    "abcdefghijklmnopqrstuvwxyzæøå", "qazwsxedcrfvtgbyhnujmikolp", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "zaq12wsxcde34rfvbgt56yhnmju7", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "a1b2c3d4e5f6g7h8i9j0",
    "1a2b3c4d5e6f7g8h9i0j", "12345678910111213141516", "147258369", "789456123", "159753",
)  # fmt: skip
"""Walks over keyboards and alphabets, to be read forwards, backwards and round."""

_OUR_WORDS = (
    "passord passordet mittpassord hemmelig velkommen sommer sommeren vinter vinteren høst høsten vår våren norge oslo "
    "bergen trondheim stavanger drammen tromsø kristiansand fredrikstad januar februar mars april mai juni juli august "
    "september oktober november desember mandag tirsdag onsdag torsdag fredag lørdag søndag fotball håndball hytta "
    "påske jul julenissen bursdag kjærlighet elsker jegelsker jegelskerdeg elskerdeg skatt skatten prinsesse pusekatt "
    "hund hunden katt katten hest hesten sjokolade brann rosenborg vålerenga viking lillestrøm molde liverpool arsenal "
    "mamma pappa mormor bestemor familie familien heihei heisann hallo jobb jobben lønn lønnsslipp ansatt bankid "
    "smartid alumni logginn innlogging passwort geheim willkommen sommar vinter välkommen lösenord hemligt sverige "
    "sommer2024 danmark kodeord adgangskode velkommen1 salasana suomi kesä talvi parool eesti parole latvija "
    "slaptazodis lietuva haslo polska"
)
"""What the list lacks: the words of the countries our people live in."""


def is_common(folded: str) -> bool:
    """Whether a case-folded password is one of those that are tried first."""
    plain = "".join(folded.split())
    return any(_is_guessable(reading) for reading in {plain, plain.translate(_SUBSTITUTES)})


def _is_guessable(text: str) -> bool:
    if len(set(text)) <= 3 or text in _listed() or _is_walk(text) or _repeats(text):
        return True
    stem = _FILLER.sub("", text)
    if len(text) - len(stem) <= LONGEST_FILLER and (stem in _listed() or _repeats(stem)):
        return True
    return _is_put_together(text)


def _repeats(text: str) -> bool:
    sizes = range(1, len(text) // 2 + 1)
    return any(len(text) % size == 0 and text == text[:size] * (len(text) // size) for size in sizes)


def _is_walk(text: str) -> bool:
    return len(text) >= FEWEST_IN_ROW and any(text in line for line in _walks())


def _is_put_together(text: str) -> bool:
    """Whether it is at most two common words and two walks, with little between them."""
    found = {(0, 0, 0, 0)}  # how far, words, walks, filler
    while found:
        at = min(found)
        found.remove(at)
        if at[0] == len(text):
            return True
        found.update(_steps(text, *at))
    return False


def _steps(text: str, at: int, words: int, walks: int, filler: int) -> Iterator[tuple[int, int, int, int]]:
    if filled := _FILLER.match(text, at):
        used = filler + len(filled[0])
        if used <= LONGEST_FILLER:
            yield filled.end(), words, walks, used
    if words < 2:
        longest = min(len(text), at + _longest_word())
        yield from (
            (end, words + 1, walks, filler) for end in range(at + 3, longest + 1) if text[at:end] in _commonest()
        )
    if walks < 2:
        end = at + FEWEST_IN_ROW
        while end <= len(text) and _is_walk(text[at:end]):
            yield end, words, walks + 1, filler
            end += 1


@cache
def _walks() -> tuple[str, ...]:
    return tuple(line[::way] * 3 for line in _LINES for way in (1, -1))


@cache
def _listed() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - read when the first password is chosen

    lists = ("passwords", "english_wikipedia", "female_names", "male_names", "surnames")
    return frozenset((*(word for name in lists for word in FREQUENCY_LISTS[name]), *_OUR_WORDS.split()))


@cache
def _commonest() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    names = (*FREQUENCY_LISTS["female_names"][:1000], *FREQUENCY_LISTS["male_names"][:1000])
    return frozenset((*FREQUENCY_LISTS["passwords"][:COMMONEST], *names, *_OUR_WORDS.split()))


@cache
def _longest_word() -> int:
    return max(map(len, _commonest()))
