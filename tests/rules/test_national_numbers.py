"""National numbers: the published examples, and what the check digits catch (SR-103)."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.national_numbers import InvalidNumber, of_semantics_identifier, read, semantics_identifier

FOUND = json.loads((Path(__file__).parent.parent / "eid" / "vectors.json").read_text("utf-8"))["vectors"]
VECTORS = [vector for vector in FOUND if vector["kind"] == "national_identifier"]
VALID = [
    (vector["input"]["country"], vector["input"]["identifier"]) for vector in VECTORS if vector["expected"]["valid"]
]
CAUGHT = [number for number in VALID if number[0] != "DK"]
"""Countries whose check digit is asked for."""


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_the_published_examples(vector: dict[str, Any]) -> None:
    country, text = vector["input"]["country"], vector["input"]["identifier"]
    if not vector["expected"]["valid"]:
        with pytest.raises(InvalidNumber) as refused:
            read(country, text)
        assert text not in str(refused.value)
        return
    found = read(country, text)
    born = vector["expected"]["date_of_birth"]
    assert found.birthdate == (date.fromisoformat(born) if born else None)
    assert text not in repr(found)


@given(known=st.sampled_from(CAUGHT), at=st.integers(0, 30), digit=st.sampled_from("0123456789"))
def test_one_wrong_digit_is_never_the_same_person(known: tuple[str, str], at: int, digit: str) -> None:
    country, text = known
    at %= len(text)
    changed = text[:at] + digit + text[at + 1 :]
    if not text[at].isdigit() or changed == text:
        return
    with suppress(InvalidNumber):
        assert read(country, changed).number != read(country, text).number


@given(country=st.sampled_from(["NO", "SE", "EE", "LT", "LV", "DK", "FI", "BE", "PL"]), text=st.text(max_size=40))
def test_any_text_is_a_number_or_is_refused(country: str, text: str) -> None:
    try:
        found = read(country, text)
    except InvalidNumber:
        return
    assert found.number
    assert read(country, found.number) == found


@pytest.mark.parametrize("known", [one for one in VALID if one[0] in ("EE", "LV", "LT", "BE")])
def test_semantics_identifiers_go_there_and_back(known: tuple[str, str]) -> None:
    found = read(*known)
    written = semantics_identifier(found.country, found.number)
    assert of_semantics_identifier(written) == found
    assert ("-" in written[6:]) == (found.country == "LV")


@pytest.mark.parametrize("text", ["", "PASEE-123", "PNOEE36805280109", "pnoEE-36805280109", "PNOEE-36805280108"])
def test_what_is_no_personal_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidNumber):
        of_semantics_identifier(text)


def test_equal_codes_of_two_countries_are_two_people() -> None:
    estonian, lithuanian = read("EE", "36805280109"), read("LT", "36805280109")
    assert estonian != lithuanian


def test_a_synthetic_number_says_so() -> None:
    assert read("NO", "47906701517").synthetic
    assert not read("NO", "15108695088").synthetic


def test_norwegian_check_digits_can_be_waived() -> None:
    """From 2032 on some numbers will not fulfil the first of them."""
    assert read("NO", "15108695077", checksum=False).birthdate == date(1986, 10, 15)
