"""National identity numbers: their forms, check digits, and the birth dates they hold.

An eID's own birth date is always preferred; these rules check and fall back. A country that is not in
the table keeps its numbers as given, with no birth date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

LONGEST = 32
"""Characters of a number of a country that has no rules here."""


class InvalidNumber(ValueError):
    """No number of this country. The text names the country and never the number."""


@dataclass(frozen=True, slots=True)
class NationalNumber:
    """A number that is well formed, without separators."""

    country: str
    number: str = field(repr=False)
    birthdate: date | None = field(default=None, repr=False)
    synthetic: bool = False
    """Made for tests: nobody's number."""


def read(country: str, text: str, *, checksum: bool = True) -> NationalNumber:
    """The number of a country (ISO 3166-1 alpha-2) in its normal form. Raises `InvalidNumber`.

    `checksum=False` lets a Norwegian number pass whose check digits are wrong, or whose individual number tells
    no century: from 2032 on some will be like that.
    """
    tidy = "".join(text.split()).upper()
    rule = RULES.get(country)
    if rule is None:
        return _unruled(country, tidy)
    try:
        return _norwegian(tidy, checksum=checksum) if country == "NO" else rule(tidy)
    except (ValueError, KeyError):
        raise InvalidNumber(f"no number of {country}") from None  # what went wrong may quote a part of it


def semantics_identifier(country: str, number: str) -> str:
    """`PNOEE-48010010101`, as ETSI EN 319 412-1 §5.1.3 writes it; a Latvian number keeps its hyphen."""
    written = f"{number[:6]}-{number[6:]}" if country == "LV" else number
    return f"PNO{country}-{written}"


def of_semantics_identifier(text: str) -> NationalNumber:
    """The number in `PNOEE-48010010101`. Raises `InvalidNumber` for passports, cards and anything else."""
    found = re.fullmatch(r"PNO([A-Z]{2})-([0-9A-Z+-]{1,32})", text)
    if found is None:
        raise InvalidNumber("no personal number")
    return read(found[1], found[2])


def _unruled(country: str, tidy: str) -> NationalNumber:
    number = tidy.replace("-", "")
    if not re.fullmatch(r"[A-Z]{2}", country) or not re.fullmatch(rf"[0-9A-Z]{{1,{LONGEST}}}", number):
        raise InvalidNumber("no number, or no country")
    return NationalNumber(country, number)


def _norwegian(text: str, *, checksum: bool = True) -> NationalNumber:
    digits = _digits(text, 11)
    if checksum:
        _ensure(_norwegian_check(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2)) == digits[9])
        _ensure(_norwegian_check(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) == digits[10])
    if digits[0] >= 8:  # FH number: holds no date
        return NationalNumber("NO", text)
    day, month, year, individual = (int(text[at : at + size]) for at, size in ((0, 2), (2, 2), (4, 2), (6, 3)))
    synthetic = month > 40
    month -= 80 if month > 80 else 40 if synthetic else 0
    century = _norwegian_century(individual, year)
    _ensure(century or not checksum)
    born = date((century or 2000) + year, month, day - 40 if day > 40 else day)
    return NationalNumber("NO", text, born if century else None, synthetic)


def _norwegian_check(digits: Sequence[int], weights: Sequence[int]) -> int:
    return (11 - sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % 11) % 11


def _norwegian_century(individual: int, year: int) -> int | None:
    if individual < 500:
        return 1900
    if year < 40:
        return 2000
    if individual < 750 and year >= 54:
        return 1800
    return 1900 if individual >= 900 else None


def _swedish(text: str) -> NationalNumber:
    digits = _digits(text.replace("-", ""), 12)
    doubled = [digit * (2 - at % 2) for at, digit in enumerate(digits[2:])]
    _ensure(sum(part // 10 + part % 10 for part in doubled) % 10 == 0)
    year, month, day = (
        1000 * digits[0] + 100 * digits[1] + 10 * digits[2] + digits[3],
        _pair(digits, 4),
        _pair(digits, 6),
    )
    _ensure(year >= 1800)
    return NationalNumber("SE", _joined(digits), date(year, month, day - 60 if day > 60 else day))


def _baltic(country: str) -> Callable[[str], NationalNumber]:
    def rule(text: str) -> NationalNumber:
        digits = _digits(text, 11)
        _ensure(_baltic_check(digits) == digits[10])
        if country == "LT" and digits[0] == 9:
            return NationalNumber(country, text)
        century = {1: 1800, 2: 1800, 3: 1900, 4: 1900, 5: 2000, 6: 2000, 7: 2100, 8: 2100}[digits[0]]
        born = date(century + _pair(digits, 1), _pair(digits, 3), _pair(digits, 5))
        return NationalNumber(country, text, born)

    return rule


def _baltic_check(digits: Sequence[int]) -> int:
    for weights in ((1, 2, 3, 4, 5, 6, 7, 8, 9, 1), (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)):
        rest = sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % 11
        if rest < 10:
            return rest
    return 0


def _latvian(text: str) -> NationalNumber:
    digits = _digits(text.replace("-", "", 1), 11)
    weights = (10, 5, 8, 4, 2, 1, 6, 3, 7, 9)
    _ensure((1 + sum(digit * weight for digit, weight in zip(digits, weights, strict=False))) % 11 % 10 == digits[10])
    if 32 <= _pair(digits, 0) <= 39:
        return NationalNumber("LV", _joined(digits))
    century = {0: 1800, 1: 1900, 2: 2000}[digits[6]]
    return NationalNumber("LV", _joined(digits), date(century + _pair(digits, 4), _pair(digits, 2), _pair(digits, 0)))


def _danish(text: str) -> NationalNumber:
    """The check digit was given up in 2007, so none is asked for."""
    digits = _digits(text.replace("-", "", 1), 10)
    year, seventh = _pair(digits, 4), digits[6]
    if seventh < 4:
        century = 1900
    elif seventh in (4, 9):
        century = 2000 if year <= 36 else 1900
    else:
        century = 2000 if year <= 57 else 1800
    return NationalNumber("DK", _joined(digits), date(century + year, _pair(digits, 2), _pair(digits, 0)))


def _finnish(text: str) -> NationalNumber:
    found = re.fullmatch(r"(\d{2})(\d{2})(\d{2})([-+A-FU-Y])(\d{3})([0-9A-Y])", text, re.ASCII)
    if found is None:
        raise InvalidNumber("FI")
    day, month, year, sign, number, check = found.groups()
    _ensure("0123456789ABCDEFHJKLMNPRSTUVWXY"[int(day + month + year + number) % 31] == check)
    century = 1800 if sign == "+" else 2000 if sign in "ABCDEF" else 1900
    return NationalNumber("FI", text, date(century + int(year), int(month), int(day)), int(number) >= 900)


def _belgian(text: str) -> NationalNumber:
    digits = _digits(re.sub(r"[.-]", "", text), 11)
    body, check = int(_joined(digits[:9])), _pair(digits, 9)
    century = next((c for c, lead in ((1900, 0), (2000, 2 * 10**9)) if 97 - (lead + body) % 97 == check), 0)
    _ensure(century > 0)
    month, day = _pair(digits, 2), _pair(digits, 4)
    born = date(century + _pair(digits, 0), month, day) if month and day else None  # unknown dates are zeros
    return NationalNumber("BE", _joined(digits), born)


def _digits(text: str, length: int) -> list[int]:
    _ensure(len(text) == length and text.isascii() and text.isdigit())
    return [int(digit) for digit in text]


def _pair(digits: Sequence[int], at: int) -> int:
    return 10 * digits[at] + digits[at + 1]


def _joined(digits: Sequence[int]) -> str:
    return "".join(map(str, digits))


def _ensure(holds: object) -> None:
    if not holds:
        raise InvalidNumber("form or check digit")


RULES: dict[str, Callable[[str], NationalNumber]] = {
    "NO": _norwegian,
    "SE": _swedish,
    "EE": _baltic("EE"),
    "LT": _baltic("LT"),
    "LV": _latvian,
    "DK": _danish,
    "FI": _finnish,
    "BE": _belgian,
}
