"""Tokens that are bound to a key, at the data service: RFC 9449 §4.3, §7 (SR-99)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from tests.demo.world import RESOURCE, Ask, Provider
from tests.proofs import dpop_proof
from tests.races.together import in_parallel

KEY = ECKey.generate_key("P-256")
OTHER = ECKey.generate_key("P-256")
URL = f"{RESOURCE}payslips"


def bound(provider: Provider, key: ECKey = KEY) -> str:
    return provider.token(cnf={"jkt": key.thumbprint()})


def shows(data_service: Ask, token: str, *proofs: str, scheme: str = "DPoP", path: str = "/payslips") -> httpx.Response:
    headers = [("Authorization", f"{scheme} {token}"), *(("DPoP", proof) for proof in proofs)]
    return data_service(path, headers=headers)


@pytest.mark.parametrize("scheme", ["DPoP", "dpop"])
def test_a_bound_token_with_its_proof_opens_the_payslips(data_service: Ask, provider: Provider, scheme: str) -> None:
    token = bound(provider)

    assert shows(data_service, token, dpop_proof(KEY, "GET", URL, token=token), scheme=scheme).status_code == 200


def test_the_query_is_no_part_of_the_address(data_service: Ask, provider: Provider) -> None:
    """§4.3 point 9."""
    token = bound(provider)

    proof = dpop_proof(KEY, "GET", f"{URL}?page=2", token=token)
    assert shows(data_service, token, proof, path="/payslips?page=3").status_code == 200


def test_a_bound_token_is_no_bearer_token(data_service: Ask, provider: Provider) -> None:
    """§7.2."""
    token = bound(provider)
    for proofs in ([], [dpop_proof(KEY, "GET", URL, token=token)]):
        refused = shows(data_service, token, *proofs, scheme="Bearer")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_that_is_not_bound_is_no_dpop_token(data_service: Ask, provider: Provider) -> None:
    """§7.1."""
    token = provider.token()
    refused = shows(data_service, token, dpop_proof(KEY, "GET", URL, token=token))

    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith('DPoP error="invalid_token", algs="')


@pytest.mark.parametrize("cnf", [{}, {"jkt": None}, {"x5t#S256": "x"}, "text", {"jkt": KEY.thumbprint(), "kid": "1"}])
def test_a_binding_that_is_not_understood_is_refused(data_service: Ask, provider: Provider, cnf: Any) -> None:
    token = provider.token(cnf=cnf)

    assert shows(data_service, token, dpop_proof(KEY, "GET", URL, token=token)).status_code == 401
    assert shows(data_service, token, scheme="Bearer").status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "POST"},
        {"htu": f"{RESOURCE}me"},
        {"htu": 7},
        {"iat": 1},
        {"iat": None},
        {"jti": None},
        {"ath": None},
        {"ath": "AAAA"},
        {"header": {"typ": "JWT"}},
        {"header": {"jwk": None}},
        {"header": {"jwk": KEY.as_dict(private=True)}},
        {"header": {"jwk": OTHER.as_dict(private=False)}},
        {"header": {"crit": ["exp"]}},
    ],
    ids=[
        "method",
        "path",
        "address",
        "old",
        "no time",
        "no jti",
        "no ath",
        "ath",
        "typ",
        "no key",
        "private",
        "other key",
        "crit",
    ],
)
def test_a_proof_that_is_not_good_is_refused(data_service: Ask, provider: Provider, changes: dict[str, Any]) -> None:
    """§4.3, each point."""
    token = bound(provider)
    refused = shows(data_service, token, dpop_proof(KEY, "GET", URL, **{"token": token, **changes}))

    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith('DPoP error="invalid_dpop_proof"')


def test_one_proof_and_one_only(data_service: Ask, provider: Provider) -> None:
    """§4.3 point 1."""
    token = bound(provider)
    two = [dpop_proof(KEY, "GET", URL, token=token) for _ in range(2)]

    assert shows(data_service, token, *two).status_code == 401
    assert shows(data_service, token).status_code == 401


def test_another_key_is_refused(data_service: Ask, provider: Provider) -> None:
    """§4.3 point 12."""
    token = bound(provider)

    assert shows(data_service, token, dpop_proof(OTHER, "GET", URL, token=token)).status_code == 401


def test_a_proof_counts_once_however_many_come_at_once(data_service: Ask, provider: Provider) -> None:
    """§11.1."""
    token = bound(provider)
    proof = dpop_proof(KEY, "GET", URL, token=token)

    statuses = in_parallel(6, lambda: shows(data_service, token, proof).status_code)
    assert sorted(statuses) == [200] + [401] * 5
