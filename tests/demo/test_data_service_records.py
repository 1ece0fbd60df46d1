"""Whose payslips, and when: the access window, and strangers who learn nothing."""

from __future__ import annotations

import pytest

from tests.demo.world import Ask, Provider


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
