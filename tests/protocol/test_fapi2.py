"""The FAPI 2.0 Security Profile, turned on by one word, and what it refuses, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from idp import clock as idp_clock
from idp.services.clients import Registered
from tests.conftest import Clock
from tests.people import Person, Provider
from tests.proofs import dpop_proof
from tests.protocol.signed_in import (
    BASE,
    assertion,
    code_form,
    error,
    jwks,
    part,
    posts,
    refreshes,
    told,
)

KEY = ECKey.generate_key("P-256", parameters={"kid": "one"})
OTHER = ECKey.generate_key("P-256", parameters={"kid": "two"})
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PROOF = ECKey.generate_key("P-256")


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


@pytest.fixture(scope="module")
def strict(provider: Provider) -> Registered:
    return provider.register(
        profile="fapi2",
        token_endpoint_auth_method="private_key_jwt",
        jwks=jwks(KEY),
        id_token_signed_response_alg=None,
    )


def says(client: Registered, **changes: Any) -> dict[str, str]:
    made = assertion(KEY, client.client.client_id, **changes)
    return {"client_assertion_type": JWT_BEARER, "client_assertion": made}


def pushes(person: Person, client: Registered, *, say: dict[str, str] | None = None, **parameters: str) -> Any:
    form = {**person.request(client_id=client.client.client_id, **parameters), **(say or says(client))}
    return posts(person.provider, "/par", form, authenticated=False)


def exchange(person: Person, client: Registered, *, scope: str = "openid", **changes: Any) -> Any:
    """A whole sign-in as the profile has it, up to the token endpoint's answer."""
    name = pushes(person, client, scope=scope).get_json()["request_uri"]
    person.goes(f"/authorize?client_id={client.client.client_id}&request_uri={name}")
    proof = changes.pop("proof", dpop_proof(PROOF, "POST", f"{BASE}/token"))
    headers = {"DPoP": proof} if proof else {}
    form = {**code_form(person), **says(client, **changes)}
    return posts(person.provider, "/token", form, authenticated=False, headers=headers)


def test_the_profile_turns_everything_on(strict: Registered) -> None:
    """FAPI 2.0 §5.3.2, §5.4.1."""
    client = strict.client

    assert client.require_pushed_authorization_requests
    assert client.dpop_bound_access_tokens
    assert client.id_token_signed_response_alg == "ES256"


@pytest.mark.parametrize(
    ("metadata", "member"),
    [
        ({"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"pkce_exempt": True}, "pkce_exempt"),
        ({"id_token_signed_response_alg": "RS256"}, "id_token_signed_response_alg"),
        ({"token_endpoint_auth_signing_alg": "RS256"}, "token_endpoint_auth_signing_alg"),
    ],
    ids=["secret", "public", "no PKCE", "RS256", "RS256 assertions"],
)
def test_metadata_that_breaks_the_profile_names_its_rule(
    provider: Provider, metadata: dict[str, Any], member: str
) -> None:
    base = {"profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(KEY)}
    with pytest.raises(ValueError, match=rf"{member}: .*FAPI 2.0"):
        provider.register(**{**base, **metadata})


def test_a_sign_in_by_the_profile(kari: Person, strict: Registered) -> None:
    """PAR, private_key_jwt, PKCE and DPoP; `iss` in the answer. The refresh token does not rotate (§5.3.2.1)."""
    tokens = exchange(kari, strict).get_json()
    assert tokens["token_type"] == "DPoP"

    for _ in range(2):
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **says(strict)}
        proof = {"DPoP": dpop_proof(PROOF, "POST", f"{BASE}/token")}
        again = posts(kari.provider, "/token", form, authenticated=False, headers=proof).get_json()
        assert again["refresh_token"] == tokens["refresh_token"]
        assert again["token_type"] == "DPoP"
    revoked = posts(kari.provider, "/revoke", {"token": tokens["refresh_token"], **says(strict)}, authenticated=False)
    assert revoked.status_code == 200
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **says(strict)}
    proof = {"DPoP": dpop_proof(PROOF, "POST", f"{BASE}/token")}
    assert error(posts(kari.provider, "/token", form, authenticated=False, headers=proof)) == (400, "invalid_grant")


def test_a_token_that_does_not_rotate_ends_unused_and_a_made_up_one_never_began(
    kari: Person, strict: Registered, clock: Clock
) -> None:
    """SR-85: a week unused is the end, and each use begins it anew; a wrong secret gets nothing and ends nothing."""
    asked = {"scope": "openid offline_access"}
    tokens = exchange(kari, strict, **asked).get_json()

    def refreshes_with(token: str) -> int:
        form = {"grant_type": "refresh_token", "refresh_token": token, **says(strict)}
        proof = {"DPoP": dpop_proof(PROOF, "POST", f"{BASE}/token")}
        return posts(kari.provider, "/token", form, authenticated=False, headers=proof).status_code

    assert refreshes_with(tokens["refresh_token"][:-4] + "AAAA") == 400
    for _ in range(2):
        clock.advance(6 * 86400)
        assert refreshes_with(tokens["refresh_token"]) == 200
    clock.advance(7 * 86400 + 1)
    assert refreshes_with(tokens["refresh_token"]) == 400


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"aud": f"{BASE}/par"}, "5.3.2.1: aud"),
        ({"aud": [BASE]}, "5.3.2.1: aud"),
        ({"aud": f"{BASE}/token"}, "5.3.2.1: aud"),
        ({"exp": 4_000_000_000}, "five minutes"),
    ],
    ids=["PAR", "a list", "token endpoint", "an hour"],
)
def test_an_assertion_that_breaks_the_profile_names_its_rule(
    kari: Person, strict: Registered, changes: dict[str, Any], rule: str
) -> None:
    answer = pushes(kari, strict, say=says(strict, **changes))

    assert error(answer) == (401, "invalid_client")
    assert rule in answer.get_json()["error_description"]


def test_whoever_has_not_shown_the_key_hears_nothing_of_it(kari: Person, strict: Registered) -> None:
    made = assertion(OTHER, strict.client.client_id, aud=f"{BASE}/par")
    answer = pushes(kari, strict, say={"client_assertion_type": JWT_BEARER, "client_assertion": made})

    assert "FAPI" not in answer.get_json()["error_description"]


def test_a_request_that_was_not_pushed_is_refused(kari: Person, strict: Registered) -> None:
    """FAPI 2.0 §5.3.2.2."""
    assert kari.comes_from_portal(client_id=strict.client.client_id).redirected_to()["error"] == "invalid_request"


def test_tokens_must_be_bound(kari: Person, strict: Registered) -> None:
    answer = exchange(kari, strict, proof=None)

    assert error(answer) == (400, "invalid_dpop_proof")
    assert "FAPI 2.0 5.3.2.1" in answer.get_json()["error_description"]


def test_rs256_pushes_nothing_either(kari: Person, strict: Registered) -> None:
    proof = dpop_proof(RSAKey.generate_key(2048), "POST", f"{BASE}/par", header={"alg": "RS256"})
    form = {**kari.request(client_id=strict.client.client_id), **says(strict)}
    answer = posts(kari.provider, "/par", form, authenticated=False, headers={"DPoP": proof})

    assert error(answer) == (400, "invalid_dpop_proof")


def test_rs256_is_not_for_the_profile(kari: Person, strict: Registered) -> None:
    """§5.4.1."""
    proof = dpop_proof(RSAKey.generate_key(2048), "POST", f"{BASE}/token", header={"alg": "RS256"})

    assert error(exchange(kari, strict, proof=proof)) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "changes",
    [{"exp": None}, {"nbf": None}, {"aud": None}, {"nbf": -3700, "exp": 300}, {"nbf": 0, "exp": 3700}],
    ids=["no exp", "no nbf", "no aud", "old", "long"],
)
def test_a_signed_request_of_the_profile_says_until_when(
    kari: Person, strict: Registered, changes: dict[str, int | None]
) -> None:
    """FAPI 2.0 Message Signing §5.3.1."""
    now = idp_clock.timestamp()
    times = {name: value if value is None else now + value for name, value in changes.items()}
    claims = {
        **kari.request(client_id=strict.client.client_id), "aud": BASE, "nbf": now, "exp": now + 300, **times,
    }  # fmt: skip
    kept = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode({"alg": "ES256", "kid": "one", "typ": "oauth-authz-req+jwt"}, kept, KEY)
    answer = posts(kari.provider, "/par", {"request": token, **says(strict)}, authenticated=False)

    assert error(answer) == (400, "invalid_request_object")
    assert "FAPI 2.0 Message Signing" in answer.get_json()["error_description"]


def test_what_the_profile_signs_is_never_rs256(kari: Person, strict: Registered) -> None:
    """FAPI 2.0 §5.4.1; Message Signing §5.4, §5.5: authorization and introspection answers, where none was named."""
    name = pushes(kari, strict, response_mode="jwt").get_json()["request_uri"]
    kari.goes(f"/authorize?client_id={strict.client.client_id}&request_uri={name}")
    signed = kari.redirected_to()["response"]
    assert part(signed, 0)["alg"] == "ES256"
    assert told(signed)["iss"] == BASE
    form, accepts = {"token": "nothing", **says(strict)}, {"Accept": "application/token-introspection+jwt"}
    answer = posts(kari.provider, "/introspect", form, authenticated=False, headers=accepts).get_data(as_text=True)
    assert part(answer, 0)["alg"] == "ES256"


@pytest.mark.parametrize(("ahead", "status"), [(8, 201), (61, 401)])
def test_clocks_may_differ_by_ten_seconds(
    kari: Person, strict: Registered, clock: Clock, ahead: int, status: int
) -> None:
    """FAPI 2.0 §5.3.2.1: `iat` and `nbf` up to 10 seconds ahead are accepted, more than 60 are refused."""
    instant = clock.now()
    idp_clock.use(lambda: instant)  # a second later it would be 60
    for name in ("iat", "nbf"):
        say = says(strict, **{name: idp_clock.timestamp() + ahead})
        assert pushes(kari, strict, say=say).status_code == status


def test_a_pushed_request_and_a_code_are_short_lived(kari: Person, strict: Registered, clock: Clock) -> None:
    """FAPI 2.0 §5.3.2.2: a `request_uri` lives less than ten minutes, a code a minute at most."""
    pushed = pushes(kari, strict).get_json()
    assert pushed["expires_in"] < 600
    kari.goes(f"/authorize?client_id={strict.client.client_id}&request_uri={pushed['request_uri']}")
    form = code_form(kari)
    clock.advance(61)
    proof = {"DPoP": dpop_proof(PROOF, "POST", f"{BASE}/token")}
    late = posts(kari.provider, "/token", {**form, **says(strict)}, authenticated=False, headers=proof)
    assert error(late) == (400, "invalid_grant")


def test_the_portal_is_as_before(kari: Person, provider: Provider) -> None:
    """Nothing of this is for a client that did not choose it."""
    kari.comes_from_portal()
    tokens = posts(provider, "/token", code_form(kari)).get_json()

    assert told(tokens["id_token"])["sub"] == kari.sub
    assert refreshes(provider, tokens["refresh_token"]).get_json()["refresh_token"] != tokens["refresh_token"]
