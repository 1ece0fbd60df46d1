"""Authorization details at the data service: a token opens exactly what they say (RFC 9396)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo.world import MFA, RESOURCE, Ask, Provider

PATHS = {"payslips": "/payslips", "tax_papers": "/tax-papers", "employment": "/employment"}
EMPLOYER = "Fjordkraft Verksted AS"


def record(*kinds: str, **more: Any) -> dict[str, Any]:
    return {"type": "alumni_records", "locations": [RESOURCE], "actions": ["read"], "datatypes": list(kinds), **more}


def opened(ask: Ask, token: str) -> set[str]:
    """The kinds of record that the token opens; it is refused the others in one way only."""
    answers = {kind: ask(path, token) for kind, path in PATHS.items()}
    for answer in answers.values():
        assert answer.status_code in (200, 403)
        if answer.status_code == 403:
            assert answer.json()["type"] == f"{RESOURCE}problems/insufficient-scope"
            assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    return {kind for kind, answer in answers.items() if answer.status_code == 200}


@pytest.mark.parametrize(
    ("details", "kinds"),
    [
        (None, {"payslips"}),  # the scope alone
        ([record("payslips")], {"payslips"}),
        ([record("tax_papers")], {"tax_papers"}),  # whatever the scope says
        ([record("payslips", "employment")], {"payslips", "employment"}),
        ([record("tax_papers"), record("employment")], {"tax_papers", "employment"}),
        ([record("payslips", employer=EMPLOYER)], {"payslips"}),
        ([record("payslips", employer="Nordlys Rederi AS")], set()),
        ([record("payslips", locations=["https://elsewhere.example/"])], set()),
        ([record("payslips", actions=["write"])], set()),
        ([record("payslips", type="account_information")], set()),
        ([record("payslips", until="2026-01-01")], set()),  # a limit that is not understood
        ([record("payslips", datatypes="payslips")], set()),
        (["payslips"], set()),
        ([], set()),
    ],
)
def test_details_say_what_is_opened(data_service: Ask, provider: Provider, details: Any, kinds: set[str]) -> None:
    assert opened(data_service, provider.token(authorization_details=details)) == kinds


def test_details_need_no_scope(data_service: Ask, provider: Provider) -> None:
    token = provider.token(scope="openid", authorization_details=[record("payslips")])

    assert opened(data_service, token) == {"payslips"}
    assert opened(data_service, provider.token(scope="openid")) == set()


@pytest.mark.parametrize("wrong", ["payslips", {"type": "alumni_records"}, 1])
def test_details_that_cannot_be_read_make_no_token(data_service: Ask, provider: Provider, wrong: Any) -> None:
    assert data_service("/payslips", provider.token(authorization_details=wrong)).status_code == 401


def test_one_payslip_needs_them_as_well(data_service: Ask, provider: Provider) -> None:
    path = "/payslips/fv1001-2026-06"

    assert data_service(path, provider.token(authorization_details=[record("payslips")])).status_code == 200
    assert data_service(path, provider.token(authorization_details=[record("employment")])).status_code == 403


def test_details_are_no_proof_of_who_somebody_is(data_service: Ask, provider: Provider) -> None:
    """SR-96."""
    token = provider.token(acr=MFA, authorization_details=[record("employment")])

    assert data_service("/employment", token).status_code == 401


def test_tax_papers_are_what_the_payslips_come_to(data_service: Ask, provider: Provider) -> None:
    told = data_service("/tax-papers", provider.token(authorization_details=[record("tax_papers")])).json()

    assert told["employer"] == EMPLOYER
    assert told["tax_papers"] == [
        {"year": "2026", "currency": "NOK", "paid": 6 * 52300, "tax_withheld": 6 * 16213},
    ]
