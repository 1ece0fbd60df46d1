"""National numbers: the published examples, and what the check digits catch (SR-103)."""

from __future__ import annotations

import json
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
CAUGHT = [number for number in VALID if number[0] in ("NO", "SE", "FI")]
"""Countries whose check digits catch every single wrong digit, in Sweden all but the century."""


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


@pytest.mark.parametrize("known", CAUGHT)
def test_one_wrong_digit_is_no_number(known: tuple[str, str]) -> None:
    """Every digit, changed to every other."""
    country, text = known
    for at in range(2 if country == "SE" else 0, len(text)):
        for digit in "0123456789".replace(text[at], ""):
            with pytest.raises(InvalidNumber):
                read(country, text[:at] + digit + text[at + 1 :])


@given(country=st.sampled_from(["NO", "SE", "EE", "LT", "LV", "DK", "FI", "BE", "PL"]), text=st.text(max_size=40))
def test_any_text_is_a_number_or_is_refused(country: str, text: str) -> None:
    try:
        found = read(country, text)
    except InvalidNumber:
        return
    assert found.number
    assert read(country, found.number) == found


@pytest.mark.parametrize("known", [*VALID, ("FI", "131052+308T"), ("PL", "44051401359")])
def test_semantics_identifiers_go_there_and_back(known: tuple[str, str]) -> None:
    found = read(*known)
    written = semantics_identifier(found.country, found.number)
    assert of_semantics_identifier(written) == found
    assert ("-" in written[6:]) == (found.country in ("LV", "FI") and "+" not in found.number)


@pytest.mark.parametrize("text", ["", "PASEE-123", "PNOEE36805280109", "pnoEE-36805280109", "PNOEE-36805280108"])
def test_what_is_no_personal_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidNumber):
        of_semantics_identifier(text)


@pytest.mark.parametrize(
    ("country", "text"),
    [
        pytest.param("PL", "", id="nothing"),
        pytest.param("PL", " - ", id="nothing but separators"),
        pytest.param("PL", "4" * 33, id="too long"),
        pytest.param("pl", "44051401359", id="a country in small letters"),
        pytest.param("44051401359", "PL", id="the wrong way round"),
        pytest.param("EE", "96805280104", id="an Estonian first digit of no century"),
        pytest.param("LT", "06805280106", id="a Lithuanian first digit of no century"),
        pytest.param("LV", "161175-59999", id="a Latvian seventh digit of no century"),
        pytest.param("SE", "098803200016", id="a year before the numbers began"),
        pytest.param("EE", "٣٦٨٠٥٢٨٠١٠٩", id="digits of another script"),
    ],
)
def test_a_number_that_could_be_nobodys_is_refused(country: str, text: str) -> None:
    with pytest.raises(InvalidNumber) as refused:
        read(country, text)
    assert not any(given and given in str(refused.value) for given in (text.strip(" -"), "44051401359"))
    assert refused.value.__cause__ is None


def test_an_fh_number_holds_no_date() -> None:
    assert read("NO", "81234567055").birthdate is None


def test_equal_codes_of_two_countries_are_two_people() -> None:
    estonian, lithuanian = read("EE", "36805280109"), read("LT", "36805280109")
    assert estonian != lithuanian


def test_a_synthetic_number_says_so() -> None:
    assert read("NO", "47906701517").synthetic
    assert not read("NO", "15108695088").synthetic


def test_norwegian_check_digits_can_be_waived() -> None:
    """From 2032 on some numbers will not fulfil the first of them."""
    assert read("NO", "15108695077", checksum=False).birthdate == date(1986, 10, 15)
    assert read("NO", "15104880000", checksum=False).birthdate is None  # its individual number tells no century
    with pytest.raises(InvalidNumber):
        read("NO", "31024880000", checksum=False)
