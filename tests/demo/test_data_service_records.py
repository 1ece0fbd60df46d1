"""Whose payslips, and when: the access window, and strangers who learn nothing."""

from __future__ import annotations

import time

import pytest

from relying_party_demo.data_service.matching import folded
from tests.demo.world import MFA, Ask, Provider


@pytest.mark.parametrize(
    ("subject", "name"), [("ola", "window-closed"), ("aino", "not-open-yet"), ("stranger", "no-match")]
)
def test_without_an_open_window_nothing_is_given_and_the_reason_is_said(
    data_service: Ask, provider: Provider, subject: str, name: str
) -> None:
    answer = data_service("/payslips", provider.token(sub=subject))

    assert answer.status_code == 403
    assert answer.json()["type"] == f"http://data.test/problems/{name}"


def test_a_stranger_learns_of_no_employer(data_service: Ask, provider: Provider) -> None:
    assert set(data_service("/payslips", provider.token(sub="stranger")).json()) == {"type", "title", "status"}


def test_one_payslip_is_shown_to_its_owner_only(data_service: Ask, provider: Provider) -> None:
    assert data_service("/payslips/fv1001-2026-06", provider.token()).json()["period"] == "2026-06"
    assert data_service("/payslips/nr1002-2023-12", provider.token()).status_code == 404


def test_problem_types_can_be_looked_up(data_service: Ask) -> None:
    assert "closed" in data_service("/problems/window-closed").text
    assert data_service("/problems/unknown").status_code == 404


def test_wrong_paths_and_methods_answer_with_problems(data_service: Ask) -> None:
    assert data_service("/nowhere").json()["status"] == 404
    assert data_service("/payslips", method="DELETE").json()["status"] == 405


# Who somebody is


def test_nobody_is_tied_to_an_employee_without_a_fresh_proof(data_service: Ask, provider: Provider) -> None:
    """SR-96: checked here again, whatever the portal or the browser asked for."""
    for token in (provider.token(acr=MFA), provider.token(auth_time=int(time.time()) - 1000)):
        answer = data_service("/payslips", token)
        assert answer.status_code == 401
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert 'max_age="900"' in challenge
    assert provider.asked_who == []


def test_who_was_found_once_needs_two_factors_from_then_on(data_service: Ask, provider: Provider) -> None:
    assert data_service("/payslips", provider.token()).status_code == 200
    assert data_service("/payslips", provider.token(acr=MFA)).status_code == 200
    assert provider.asked_who == ["kari"]
    assert data_service("/payslips", provider.token(acr="https://refeds.org/profile/sfa")).status_code == 401


def test_a_namesake_born_the_same_day_gets_nothing(data_service: Ask, provider: Provider) -> None:
    """Never by name: there is an employee Anne Berg of that birth date, with another number."""
    answer = data_service("/payslips", provider.token(sub="other-anne"))

    assert answer.json()["type"] == "http://data.test/problems/no-match"
    assert "Berg" not in answer.text


def test_an_answer_about_somebody_else_is_none(data_service: Ask, provider: Provider) -> None:
    """OpenID Connect Core §5.3.4."""
    provider.told_sub = "ola"

    assert data_service("/payslips", provider.token()).json()["type"] == "http://data.test/problems/no-match"


def test_while_the_provider_is_away_it_is_later_and_not_no(data_service: Ask, provider: Provider) -> None:
    data_service("/me", provider.token())  # its keys are known
    provider.broken = True

    assert data_service("/payslips", provider.token()).status_code == 503
    provider.broken = False
    assert data_service("/payslips", provider.token()).status_code == 200


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kari-Anne Ås", "ÅS Kari Anne"),
        ("Søren Kierkegård", "Soren Kierkegaard"),
        ("José  García", "jose garcia"),
    ],
)
def test_names_are_folded_before_they_are_near(one: str, other: str) -> None:
    assert folded(one) == folded(other)
    assert folded(one) != folded(f"{other} Hansen")
