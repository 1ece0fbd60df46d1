"""Codes and phone numbers as people type them (SR-12, SR-25; page spec §4, §9.2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idp.rules import numbering
from idp.rules.identifiers import Malformed, one_time_code, phone_number

COUNTRIES = ("NO", "SE", "DK", "FI", "DE", "GB", "PL", "IT")
PHONE_KEYS = {f"E-TEL-{cause}" for cause in ("EMPTY", "SHORT", "LONG", "CHARS", "COUNTRY", "PREMIUM", "UNKNOWN")}


CODE_KEYS = {f"E-CODE-{cause}" for cause in ("EMPTY", "DIGITS", "SHORT", "LONG")}
Right = TypeVar("Right")


def judged(reading: Callable[[str], Right], text: str) -> Right | str:
    """What was meant, or the key of its fault."""
    try:
        return reading(text)
    except Malformed as problem:
        return problem.key


def phone(text: str, *, country: str = "NO") -> str:
    return phone_number(text, country=country, allowed=COUNTRIES).e164


def fault(text: str, *, country: str = "NO") -> tuple[str, str | int | None]:
    with pytest.raises(Malformed) as caught:
        phone_number(text, country=country, allowed=COUNTRIES)
    return caught.value.key, caught.value.values.get("country")


@given(
    code=st.text("0123456789", min_size=6, max_size=6),
    fillers=st.lists(st.sampled_from(["", " ", "-", "–", ".", "\u00a0", "\u200b", "\n", "\t"]), min_size=7, max_size=7),
    zero=st.sampled_from(["0", "٠", "۰", "०", "０"]),
)
def test_a_code_is_the_same_however_it_is_spaced_and_in_any_digits(code: str, fillers: list[str], zero: str) -> None:
    digits = [chr(ord(zero) + int(digit)) for digit in code]
    typed = "".join(filler + digit for filler, digit in zip(fillers, [*digits, ""], strict=True))
    assert one_time_code(typed) == code


@given(text=st.text(max_size=20))
def test_any_text_is_a_code_of_six_digits_or_a_known_fault(text: str) -> None:
    code = judged(one_time_code, text)
    assert code in CODE_KEYS or (len(code) == 6 and code.isascii() and code.isdigit())


@pytest.mark.parametrize(
    ("typed", "key", "count"),
    [
        ("", "E-CODE-EMPTY", 6),
        (" - \u200b", "E-CODE-EMPTY", 6),
        ("42071", "E-CODE-SHORT", 5),
        ("4207190", "E-CODE-LONG", 7),
        ("42O719", "E-CODE-DIGITS", None),
        ("kode", "E-CODE-DIGITS", None),
        ("½20719", "E-CODE-DIGITS", None),
    ],
)
def test_a_code_that_cannot_be_one_says_why_and_how_many_digits_were_typed(
    typed: str, key: str, count: int | None
) -> None:
    with pytest.raises(Malformed) as caught:
        one_time_code(typed)
    assert (caught.value.key, caught.value.values.get("n")) == (key, count)


@pytest.mark.parametrize(
    ("typed", "country", "e164"),
    [
        ("90 12 34 56", "NO", "+4790123456"),
        ("+47 901-23-456", "SE", "+4790123456"),  # the plus beats the list
        ("0047 90.12.34.56", "NO", "+4790123456"),
        ("tel:+47(901)23456", "NO", "+4790123456"),
        ("９０１２３４５６", "NO", "+4790123456"),
        ("070-123 45 67", "SE", "+46701234567"),
        ("+44 (0)7400 123456", "NO", "+447400123456"),
        ("\u202a+47 90123456\u202c", "NO", "+4790123456"),
        ("312 345 6789", "IT", "+393123456789"),
    ],
)
def test_a_number_has_one_form_however_it_is_typed(typed: str, country: str, e164: str) -> None:
    assert phone(typed, country=country) == e164


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ("E-TEL-EMPTY", None)),
        (" - ", ("E-TEL-EMPTY", None)),
        ("ring meg", ("E-TEL-CHARS", None)),
        ("90123456 ext. 5", ("E-TEL-CHARS", None)),
        ("90123456, 90123457", ("E-TEL-CHARS", None)),
        ("90123456#5", ("E-TEL-CHARS", None)),
        ("+", ("E-TEL-CHARS", None)),
        ("9012345", ("E-TEL-SHORT", "NO")),
        ("+46 70 12", ("E-TEL-SHORT", "SE")),
        ("901234567", ("E-TEL-LONG", "NO")),
        ("9" * 60, ("E-TEL-LONG", "NO")),
        ("12345678", ("E-TEL-UNKNOWN", "NO")),
        ("+1 212 555 0100", ("E-TEL-COUNTRY", "US")),
        ("+999 123 456", ("E-TEL-COUNTRY", "ZZ")),
        ("+881 6 1234 5678", ("E-TEL-COUNTRY", "ZZ")),  # a satellite
        ("829 12 345", ("E-TEL-PREMIUM", None)),
        ("810 12 345", ("E-TEL-PREMIUM", None)),
        ("+44 7012 345678", ("E-TEL-PREMIUM", None)),
    ],
)
def test_a_number_that_gets_no_code_says_why(typed: str, expected: tuple[str, str | None]) -> None:  # SR-25
    assert fault(typed) == expected


def test_a_country_that_is_none_is_no_server_error() -> None:
    assert fault("90123456", country="XX") == ("E-TEL-COUNTRY", "ZZ")
    assert fault("90123456", country="") == ("E-TEL-COUNTRY", "ZZ")


@given(text=st.text(max_size=30) | st.from_regex(r"\A\+?[0-9 ]{0,20}\Z"), country=st.sampled_from([*COUNTRIES, "ZZ"]))
@example("+0047 90123456", "NO")
@example("+" + "0" * 20, "NO")
def test_any_text_is_a_number_in_one_form_or_a_known_fault(text: str, country: str) -> None:
    number = judged(partial(phone_number, country=country, allowed=COUNTRIES), text)
    if isinstance(number, str):
        assert number in PHONE_KEYS
        return
    assert phone(number.e164) == number.e164
    assert numbering.home(number.country) in COUNTRIES


def test_a_fixed_line_takes_calls_only_and_svalbard_is_in_norway() -> None:
    assert not phone_number("22 00 00 00", country="NO", allowed=COUNTRIES).takes_sms
    assert phone_number("90 12 34 56", country="NO", allowed=COUNTRIES).takes_sms
    assert phone_number("79 02 12 34", country="NO", allowed=COUNTRIES).country == "SJ"


def test_what_was_typed_is_kept_to_be_shown_again_and_not_printed_by_accident() -> None:
    number = phone_number(" 90 12 34 56 ", country="NO", allowed=COUNTRIES)
    assert number.typed == "90 12 34 56"
    assert "90" not in repr(number)


@pytest.mark.parametrize(("e164", "prefix"), [("+4790123456", "+479012"), ("+358401234567", "+3584012"), ("x", "x")])
def test_a_prefix_is_the_country_and_four_digits(e164: str, prefix: str) -> None:  # SR-26
    assert numbering.prefix(e164) == prefix
