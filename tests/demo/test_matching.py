"""Which employee somebody is: by national number and country alone; a near miss is for people to look at."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relying_party_demo.data_service.matching import Identity, folded, is_near, match


@dataclass(frozen=True)
class Row:
    """A line of HR's register."""

    name: str
    country: str
    national_number: str
    birthdate: str = "1975-06-21"


ANNE = Row("Anne Berg", "NO", "21867530077")
ILZE = Row("Ilze Kalniņa", "LV", "327600-10006")
ALL = (ANNE, ILZE, Row("Nobody Known", "NO", ""))


def somebody(number: str | None = "21867530077", country: str = "NO", **other: Any) -> Identity:
    known: dict[str, Any] = {"given_name": "Anne", "family_name": "Berg", "birthdate": "1975-06-21"} | other
    return Identity(country=country, number=number, **known)


def test_number_and_country_make_the_employee_whatever_the_name() -> None:
    assert match(somebody(given_name="Anna", family_name="Fjell", birthdate=None), ALL) is ANNE


def test_equal_numbers_of_two_countries_are_two_people() -> None:
    """SR-103."""
    assert match(somebody(country="SE"), ALL) is None


@pytest.mark.parametrize("written", ["218675 30077", "21 86 75 300 77", "218675-30077", "21.86.75.30077"])
def test_however_hr_writes_a_number_it_is_the_same(written: str) -> None:
    row = Row("Anne Berg", "NO", written)
    assert match(somebody(), [row]) is row


def test_a_latvian_number_is_kept_with_its_hyphen_and_found_without() -> None:
    assert match(somebody("32760010006", "LV"), ALL) is ILZE


@pytest.mark.parametrize("other", ["131052A308T", "131052308T"])
def test_the_sign_of_a_finnish_number_tells_centuries_apart(other: str) -> None:
    assert match(somebody("131052+308T", "FI"), [Row("Aino Virtanen", "FI", other)]) is None


@pytest.mark.parametrize("number", [None, "", " - "])
def test_nobody_is_found_by_no_number(number: str | None) -> None:
    """HR's register has an employee without one, too."""
    assert match(somebody(number), ALL) is None


@pytest.mark.parametrize(
    ("given", "family"),
    [("Anne", "Berg"), ("ANNE", "BERG"), ("Berg", "Anne"), ("Ánne", "Berg"), ("Anne", "Berg ")],
)
def test_name_and_birth_date_are_near_and_never_enough(given: str, family: str) -> None:
    namesake = somebody("21867534099", given_name=given, family_name=family)

    assert is_near(namesake, ANNE)
    assert match(namesake, ALL) is None


@pytest.mark.parametrize(
    "other",
    [
        {"birthdate": "1975-06-22"},
        {"birthdate": None},
        {"family_name": "Berge"},
        {"given_name": "Anne Marie"},
        {"given_name": "", "family_name": ""},
    ],
)
def test_less_than_the_whole_name_and_the_day_is_not_near(other: dict[str, Any]) -> None:
    assert not is_near(somebody("21867534099", **other), ANNE)


def test_nameless_people_are_not_near_each_other() -> None:
    assert not is_near(somebody(given_name="-", family_name=""), Row("–", "NO", "1"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Åse Ødegård", "Aase Odegaard"),
        ("Björn Åkesson", "Bjorn Aakesson"),
        ("Ægir Sæther", "Aegir Saether"),
        ("Kari-Anne Nordmann", "Nordmann Kari Anne"),
        ("Siobhán O'Brien", "Siobhan OBrien"),
        ("Rasa Kazlauskienė", "RASA KAZLAUSKIENE"),
        ("Łucja Weiß", "Lucja Weiss"),
    ],
)
def test_ways_of_writing_a_name_are_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@given(st.lists(st.text("abcæøåäöéñ", min_size=1, max_size=8), min_size=1, max_size=4))
def test_a_name_is_the_same_composed_or_not_in_any_order_and_case(words: list[str]) -> None:
    name = " ".join(words)

    assert folded(unicodedata.normalize("NFD", name)) == folded(name)
    assert folded("-".join(reversed(words)).upper()) == folded(name)


def test_no_identity_shows_in_a_log() -> None:
    shown = repr(somebody())

    assert not [word for word in ("Anne", "Berg", "21867530077", "1975") if word in shown]
