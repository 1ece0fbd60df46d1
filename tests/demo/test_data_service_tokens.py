"""Which access tokens the data service takes, and which it must refuse: SR-92 to SR-96."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from tests.demo.world import HIGH, MFA, SUBSTANTIAL, Ask, Provider

NOW = int(time.time())


def test_a_good_token_opens_the_payslips(data_service: Ask, provider: Provider) -> None:
    answer = data_service("/payslips", provider.token())

    assert answer.status_code == 200
    assert answer.json()["employer"] == "Fjordkraft Verksted AS"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"typ": None}, id="no typ"),
        pytest.param({"typ": "JWT"}, id="an ID token"),
        pytest.param({"typ": "logout+jwt"}, id="a logout token"),
        pytest.param({"typ": "token-introspection+jwt"}, id="an introspection answer"),
        pytest.param({"kid": None}, id="no kid"),
        pytest.param({"kid": "../k1"}, id="a kid that looks like a path"),
        pytest.param({"jku": "https://attacker.example/jwks"}, id="jku"),
        pytest.param({"x5u": "https://attacker.example/cert"}, id="x5u"),
        pytest.param({"x5c": ["AAAA"]}, id="x5c"),
        pytest.param({"jwk": {"kty": "EC"}}, id="jwk"),
        pytest.param({"zip": "DEF"}, id="zip"),
    ],
)
def test_a_header_we_do_not_trust_is_refused(data_service: Ask, provider: Provider, header: dict[str, object]) -> None:
    """SR-92, SR-94."""
    assert_refused(data_service("/payslips", provider.token(header)))


@pytest.mark.parametrize("extra", [{"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": False}, {"b64": False}])
def test_critical_headers_are_refused(data_service: Ask, provider: Provider, extra: dict[str, object]) -> None:
    """SR-92. Forged by hand: a signing library would not make them."""
    protected = encoded(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": "k1"} | extra).encode())
    payload = encoded(json.dumps(provider.claims()).encode())
    signature = provider.token().rpartition(".")[2]

    assert_refused(data_service("/payslips", f"{protected}.{payload}.{signature}"))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"iss": "https://other.example"}, id="another issuer"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"aud": "http://other.test/"}, id="another audience"),
        pytest.param({"aud": ["http://other.test/", "http://data.test"]}, id="audience without the slash"),
        pytest.param({"exp": None}, id="no expiry"),
        pytest.param({"exp": NOW - 61}, id="expired beyond the leeway"),
        pytest.param({"exp": "soon"}, id="expiry that is no number"),
        pytest.param({"exp": True}, id="expiry that is a truth value"),
        pytest.param({"iat": None}, id="no time of issue"),
        pytest.param({"iat": NOW + 600}, id="issued in the future"),
        pytest.param({"nbf": NOW + 600}, id="not valid yet"),
        pytest.param({"sub": None}, id="nobody"),
        pytest.param({"sub": 7}, id="a subject that is no text"),
        pytest.param({"client_id": None}, id="no client"),
        pytest.param({"jti": None}, id="no token id"),
        pytest.param({"auth_time": None}, id="no time of sign-in"),
        pytest.param({"acr": None}, id="no level"),
        pytest.param({"sub": "portal"}, id="a machine's token"),
        pytest.param({"cnf": {"jkt": "x"}}, id="bound to a key that nobody showed"),
    ],
)
def test_a_claim_that_is_wrong_or_missing_is_refused(
    data_service: Ask, provider: Provider, changes: dict[str, Any]
) -> None:
    """SR-93, SR-94, SR-95."""
    assert_refused(data_service("/payslips", provider.token(**changes)))


def test_our_audience_may_be_one_of_several(data_service: Ask, provider: Provider) -> None:
    assert data_service("/me", provider.token(aud=["http://other.test/", "http://data.test/"])).status_code == 200


def test_a_signature_by_another_key_of_the_same_name_is_refused(data_service: Ask, provider: Provider) -> None:
    """SR-92."""
    stranger = ECKey.generate_key("P-256", {"kid": "k1"})
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
    forged = jws.serialize_compact(header, json.dumps(provider.claims()).encode(), stranger, algorithms=["ES256"])

    assert_refused(data_service("/payslips", forged))


def test_no_signature_and_a_mac_with_the_public_key_are_refused(data_service: Ask, provider: Provider) -> None:
    """SR-91, SR-92."""
    payload = json.dumps(provider.claims()).encode()
    none = encoded(json.dumps({"alg": "none", "typ": "at+jwt", "kid": "k1"}).encode())
    public = OctKey.import_key(str(provider.keys[0].as_dict(private=False)["x"]))
    mac = jws.serialize_compact({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}, payload, public, algorithms=["HS256"])

    assert_refused(data_service("/payslips", f"{none}.{encoded(payload)}."))
    assert_refused(data_service("/payslips", mac))


def test_json_with_a_name_twice_is_refused(data_service: Ask, provider: Provider) -> None:
    """SR-92."""
    once = json.dumps(provider.claims(sub="ola"))
    assert_refused(data_service("/payslips", provider.signed(once.replace("{", '{"sub": "kari", ', 1).encode())))


def test_a_giant_token_is_refused_unread(data_service: Ask, provider: Provider) -> None:
    """SR-92."""
    assert_refused(data_service("/payslips", provider.token(filler="x" * 17_000)))


@pytest.mark.parametrize("token", ["a.b.c", "e30.e30.e30", "W10.W10.AA", "abc", "a.b.c.d.e"])
def test_nonsense_is_refused(data_service: Ask, token: str) -> None:
    assert_refused(data_service("/payslips", token))


def test_a_token_comes_in_the_header_only(data_service: Ask, provider: Provider) -> None:
    """SR-95."""
    token = provider.token()
    in_query = data_service("/payslips", params={"access_token": token})
    in_both = data_service("/payslips", token, params={"access_token": token})
    twice = data_service("/payslips", headers=[("Authorization", f"Bearer {token}"), ("Authorization", "Bearer x")])

    assert [answer.status_code for answer in (in_query, in_both, twice)] == [400, 400, 400]
    assert 'error="invalid_request"' in in_query.headers["www-authenticate"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic a2FyaTprYXJp"}])
def test_without_a_token_the_challenge_names_no_error(data_service: Ask, headers: dict[str, str]) -> None:
    """RFC 6750 §3.1."""
    answer = data_service("/payslips", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer, DPoP algs=")


def test_too_little_proof_gets_the_step_up_challenge(data_service: Ask, provider: Provider) -> None:
    """SR-96, RFC 9470 §3."""
    answer = data_service("/payslips", provider.token(acr=MFA))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        'Bearer error="insufficient_user_authentication", '
        'error_description="A different authentication level is required", '
        f'acr_values="{SUBSTANTIAL} {HIGH}", max_age="900"'
    )
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/problems/proof-needed")


def test_an_unknown_level_is_too_little(data_service: Ask, provider: Provider) -> None:
    answer = data_service("/payslips", provider.token(acr="http://eidas.europa.eu/LoA/substantial-ish"))
    assert "insufficient_user_authentication" in answer.headers["www-authenticate"]


def test_two_factors_are_enough_to_hear_who_i_am(data_service: Ask, provider: Provider) -> None:
    assert data_service("/me", provider.token(acr=MFA)).json()["sub"] == "kari"
    assert data_service("/me", provider.token(acr="https://refeds.org/profile/sfa")).status_code == 401


def test_too_little_scope_is_forbidden(data_service: Ask, provider: Provider) -> None:
    """SR-96: even for somebody who proved everything."""
    answer = data_service("/payslips", provider.token(scope="openid"))

    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="payslips"'


def assert_refused(answer: httpx.Response) -> None:
    """401 invalid_token, and not a word about why."""
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert set(answer.json()) == {"type", "title", "status"}


def encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()
