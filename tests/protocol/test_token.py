"""The token endpoint and the code grant (RFC 6749 §3.2, §4.1.3, §5; OIDC Core §2, §3.1.3); requirements I, J."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.services import accounts, sessions
from idp.stores.shortlived import authorization_codes
from tests.conftest import Clock
from tests.members import account_id
from tests.people import Person, Provider
from tests.protocol.signed_in import (
    BASE,
    basic,
    bearer,
    code_form,
    error,
    gets,
    part,
    posts,
    refreshes,
    session_of,
    signed_in,
    told,
)


def back_at_the_portal(provider: Provider, **parameters: str) -> Person:
    """Somebody who brings the portal a code."""
    return signed_in(provider).comes_from_portal(**parameters)


def test_a_code_gives_tokens_that_nobody_keeps(provider: Provider) -> None:
    """RFC 6749 §5.1; SR-90."""
    answer = posts(provider, "/token", code_form(back_at_the_portal(provider)))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.get_json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] <= 600  # SR-84, SR-118: not ten days
    assert body["scope"] == "openid email phone offline_access"
    assert {"access_token", "id_token", "refresh_token"} <= set(body)


def test_a_second_use_of_a_code_is_refused_and_ends_what_came_of_it(provider: Provider) -> None:
    """RFC 9700 §4.5, OAuth 2.1 §7.5.2; SR-80, SR-81, SR-118."""
    person = back_at_the_portal(provider)
    tokens = posts(provider, "/token", code_form(person)).get_json()
    assert error(posts(provider, "/token", code_form(person))) == (400, "invalid_grant")
    assert gets(provider, "/userinfo", **bearer(tokens["access_token"])).status_code == 401
    assert error(refreshes(provider, tokens["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.parametrize("wrong", [{"code_verifier": "w" * 43}, {"redirect_uri": "https://portal.example/other"}])
def test_a_replay_that_is_itself_invalid_ends_nothing(provider: Provider, wrong: dict[str, str]) -> None:
    """SR-81: otherwise anybody who saw a code could end a grant."""
    person = back_at_the_portal(provider)
    tokens = posts(provider, "/token", code_form(person)).get_json()
    assert error(posts(provider, "/token", code_form(person, **wrong))) == (400, "invalid_grant")
    assert gets(provider, "/userinfo", **bearer(tokens["access_token"])).status_code == 200


def test_a_replay_by_another_client_ends_nothing(provider: Provider) -> None:
    """SR-81."""
    person = back_at_the_portal(provider)
    tokens = posts(provider, "/token", code_form(person)).get_json()
    other = provider.register()
    assert error(posts(provider, "/token", code_form(person), caller=other)) == (400, "invalid_grant")
    assert gets(provider, "/userinfo", **bearer(tokens["access_token"])).status_code == 200


def test_a_code_that_comes_back_into_the_cache_is_a_replay(provider: Provider) -> None:
    """SR-80, SR-81, SR-87: the row decides, whatever the cache remembers."""
    person = back_at_the_portal(provider)
    code = person.redirected_to()["code"]
    key = f"code:{authorization_codes.digest(code).hex()}"
    kept = provider.parts.store.get(key)
    assert kept is not None
    tokens = posts(provider, "/token", code_form(person)).get_json()
    provider.parts.store.put(key, kept, ttl=60)
    assert error(posts(provider, "/token", code_form(person))) == (400, "invalid_grant")
    assert gets(provider, "/userinfo", **bearer(tokens["access_token"])).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": ""},
        {"redirect_uri": "https://portal.example/other"},
        {"code_verifier": ""},
        {"code_verifier": "w" * 43},
        {"code": "unknown"},
        {"code": "é" * 20},
    ],
)
def test_each_binding_of_a_code_is_checked_by_itself(provider: Provider, changes: dict[str, str]) -> None:
    """RFC 6749 §4.1.3; SR-79. One text for all of them: requirements, section R."""
    answer = posts(provider, "/token", code_form(back_at_the_portal(provider), **changes))
    assert error(answer) == (400, "invalid_grant")
    assert answer.get_json()["error_description"].startswith("the code or refresh token is wrong")


def test_a_code_is_for_the_client_it_was_given_to(provider: Provider) -> None:
    """RFC 6749 §4.1.3; SR-79."""
    other = provider.register()
    assert error(posts(provider, "/token", code_form(back_at_the_portal(provider)), caller=other)) == (
        400,
        "invalid_grant",
    )


def test_a_code_lives_no_longer_than_a_minute(provider: Provider, clock: Clock) -> None:
    """FAPI §5.3.2.1; SR-79."""
    person = back_at_the_portal(provider)
    clock.advance(61)
    assert error(posts(provider, "/token", code_form(person))) == (400, "invalid_grant")


def test_a_code_dies_with_its_session(provider: Provider) -> None:
    """SR-79, SR-108."""
    person = back_at_the_portal(provider)
    sid = session_of(person)
    with provider.app.app_context():
        sessions.end(sid)
    assert error(posts(provider, "/token", code_form(person))) == (400, "invalid_grant")


def test_a_locked_persons_code_gets_nothing(provider: Provider) -> None:
    """SR-60."""
    person = back_at_the_portal(provider)
    with provider.app.app_context():
        accounts.lock(account_id(person))
    assert error(posts(provider, "/token", code_form(person))) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
        ({"grant_type": ["authorization_code", "authorization_code"], "code": "x"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x\x00"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x" * 8193}, "invalid_request"),
        ("grant_type=authorization_code&code=%ff%fe", "invalid_request"),
    ],
)
def test_a_request_that_is_wrong_is_a_400_with_its_code(provider: Provider, form: object, expected: str) -> None:
    """RFC 6749 §5.2; SR-73, SR-90; requirements, section R."""
    assert error(posts(provider, "/token", form)) == (400, expected)  # type: ignore[arg-type]


def test_only_a_form_is_read_and_never_the_url(provider: Provider) -> None:
    """RFC 6749 §3.2; SR-73, SR-90, SR-118: query and body are not merged."""
    browser = provider.app.test_client()
    sent = basic(provider.portal, provider.secret)
    as_json = browser.post("/token", base_url=BASE, json={"grant_type": "authorization_code"}, headers=sent)
    assert error(as_json) == (400, "invalid_request")
    in_url = posts(provider, "/token?grant_type=authorization_code&code=x", {})
    assert in_url.get_json()["error_description"] == "grant_type is missing"
    assert browser.get("/token", base_url=BASE).status_code == 405


def test_a_body_over_64_kib_is_not_read(provider: Provider) -> None:
    """SR-90."""
    form = {f"p{number}": "x" * 8000 for number in range(10)}
    assert error(posts(provider, "/token", form)) == (400, "invalid_request")


def test_the_id_token_says_for_whom_by_whom_and_how(provider: Provider) -> None:
    """OIDC Core §2, §3.1.3.6, §3.1.3.7; SR-91, SR-97."""
    person = back_at_the_portal(provider)
    body = posts(provider, "/token", code_form(person)).get_json()
    keys = KeySet.import_key_set(gets(provider, "/jwks").get_json())
    token = jwt.decode(body["id_token"], keys, algorithms=["ES256"])
    claims = token.claims
    assert token.header["kid"]
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (BASE, provider.portal, "the-nonce")
    assert claims["sub"] == account_id(person)
    assert claims["sub"].isascii()
    assert len(claims["sub"]) <= 255
    assert claims["acr"] == "https://refeds.org/profile/mfa"
    assert {"pwd", "sms", "mfa"} <= set(claims["amr"])
    assert claims["auth_time"] <= claims["iat"] < claims["exp"]
    half = urlsafe_b64encode(sha256(body["access_token"].encode()).digest()[:16]).rstrip(b"=").decode()
    assert claims["at_hash"] == half
    assert "email" not in claims


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_the_id_token_is_signed_as_the_client_registered(provider: Provider, algorithm: str) -> None:
    """OIDC Core §2; client libraries, no. 4."""
    client = provider.register(id_token_signed_response_alg=algorithm)
    person = signed_in(provider).comes_from_portal(client_id=client.client.client_id)
    answer = posts(provider, "/token", code_form(person), caller=client)
    assert part(answer.get_json()["id_token"], 0)["alg"] == algorithm


def test_a_client_may_be_registered_to_get_claims_in_the_id_token(provider: Provider) -> None:
    """Client libraries, no. 9; only of granted scopes: SR-123."""
    client = provider.register(claims_in_id_token=True)
    person = signed_in(provider).comes_from_portal(client_id=client.client.client_id, scope="openid email")
    claims = told(posts(provider, "/token", code_form(person), caller=client).get_json()["id_token"])
    assert claims["email"] == person.email
    assert claims["email_verified"] is True
    assert "phone_number" not in claims
    assert claims["sub"] == account_id(person)


def test_a_claim_asked_for_by_name_comes_in_the_id_token(provider: Provider) -> None:
    """OIDC Core §5.5; never a protocol claim (SR-97) and only of granted scopes (SR-123)."""
    asked = '{"id_token": {"email": null, "locale": null, "iss": {"value": "https://evil.example"}}}'
    person = back_at_the_portal(provider, claims=asked)
    claims = told(person.tokens()["id_token"])
    assert claims["email"] == person.email
    assert "locale" not in claims
    assert claims["iss"] == BASE


def test_a_request_without_nonce_gets_an_id_token_without(provider: Provider) -> None:
    """OIDC Core §2."""
    assert "nonce" not in told(back_at_the_portal(provider, nonce="").tokens()["id_token"])


def test_pages_of_other_origins_may_ask_and_read_errors_too(provider: Provider) -> None:
    """RFC 9700 §2.6; SR-114; client libraries, no. 12."""
    browser = provider.app.test_client()
    asked = {
        "Origin": "https://spa.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,dpop",
    }
    before = browser.options("/token", base_url=BASE, headers=asked)
    allowed = before.headers["Access-Control-Allow-Headers"].lower()
    assert before.status_code == 204
    assert {"authorization", "dpop"} <= {name.strip() for name in allowed.split(",")}
    for answer in (posts(provider, "/token", {}), posts(provider, "/token", {}, authenticated=False)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert "DPoP-Nonce" in exposed
        assert "WWW-Authenticate" in exposed


def test_a_machine_gets_a_token_that_is_nobodys(provider: Provider) -> None:
    """RFC 6749 §4.4, RFC 9068 §5; SR-95."""
    machine = provider.register(
        grant_types=["client_credentials"], redirect_uris=[], response_types=[], scope="payslips"
    )
    answer = posts(provider, "/token", {"grant_type": "client_credentials"}, caller=machine)
    body = answer.get_json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert told(body["access_token"])["sub"] == machine.client.client_id
    assert gets(provider, "/userinfo", **bearer(body["access_token"])).status_code == 401
    wide = {"grant_type": "client_credentials", "scope": "openid"}
    assert error(posts(provider, "/token", wide, caller=machine)) == (400, "invalid_scope")
