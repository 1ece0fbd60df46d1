"""Discovery tells the truth: what is advertised works, and nothing else does (RFC 8414, OIDC Discovery)."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp import clock as idp_clock
from idp.rules.client_metadata import CIBA, DEVICE_CODE, TOKEN_EXCHANGE
from idp.services import keys
from idp.services.clients import Registered
from tests.people import Person, Provider
from tests.proofs import Key, dpop_proof
from tests.protocol.conftest import SWITCHED_ON
from tests.protocol.signed_in import BASE, bearer, code_form, error, gets, part, posts

SIGNING: dict[str, Key] = {
    "ES256": ECKey.generate_key("P-256", parameters={"kid": "ES256"}),
    "RS256": RSAKey.generate_key(2048, parameters={"kid": "RS256"}),
    "PS256": RSAKey.generate_key(2048, parameters={"kid": "PS256"}),
    "EdDSA": OKPKey.generate_key("Ed25519", parameters={"kid": "EdDSA"}),
    "Ed25519": OKPKey.generate_key("Ed25519", parameters={"kid": "Ed25519"}),
}
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


SETTINGS = SWITCHED_ON


@pytest.fixture(scope="module", autouse=True)
def every_key(provider: Provider) -> None:
    """A key for every algorithm, there before anything is signed."""
    with provider.app.app_context():
        for algorithm in ("PS256", "EdDSA"):
            keys.add(algorithm, at_once=True, tokens=provider.parts.settings.tokens)


@pytest.fixture(scope="module")
def document(provider: Provider) -> dict[str, Any]:
    found: dict[str, Any] = gets(provider, "/.well-known/openid-configuration").get_json()
    return found


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def advertised(provider: Provider, name: str) -> list[str]:
    found: list[str] = gets(provider, "/.well-known/openid-configuration").get_json()[name]
    return found


def test_both_documents_say_the_same(provider: Provider) -> None:
    """RFC 8414 §3, §5."""
    both = [gets(provider, f"/.well-known/{name}") for name in ("openid-configuration", "oauth-authorization-server")]

    assert both[0].data == both[1].data
    assert both[0].get_json()["issuer"] == BASE


def test_every_endpoint_is_there(provider: Provider, document: dict[str, Any]) -> None:
    for name, url in document.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            path = url.removeprefix(BASE)
            browser = provider.app.test_client()
            statuses = {browser.open(path, method=method, base_url=BASE).status_code for method in ("GET", "POST")}
            assert 404 not in statuses, name


@pytest.mark.parametrize("mode", ["query", "form_post", "jwt", "query.jwt", "form_post.jwt", "fragment", "web_message"])
def test_response_modes(kari: Person, mode: str) -> None:
    kari.comes_from_portal(response_mode=mode)
    assert kari.answer is not None
    location = parse_qs(urlsplit(kari.answer.headers.get("Location", "")).query)
    works = "error" not in location

    assert works is (mode in advertised(kari.provider, "response_modes_supported"))


@pytest.mark.parametrize("kind", ["code", "token", "id_token", "code id_token", "none", "code token"])
def test_response_types(kari: Person, kind: str) -> None:
    works = "code" in kari.comes_from_portal(response_type=kind).redirected_to()

    assert works is (kind in advertised(kari.provider, "response_types_supported"))


@pytest.mark.parametrize("method", ["S256", "plain"])
def test_ways_to_prove_the_code(kari: Person, method: str) -> None:
    works = "code" in kari.comes_from_portal(code_challenge_method=method).redirected_to()

    assert works is (method in advertised(kari.provider, "code_challenge_methods_supported"))


def test_prompts(kari: Person) -> None:
    for prompt in advertised(kari.provider, "prompt_values_supported"):
        kari.comes_from_portal(prompt=prompt)
        assert kari.answer is not None
        assert "error=" not in kari.answer.headers.get("Location", ""), prompt


def test_levels(kari: Person) -> None:
    for level in advertised(kari.provider, "acr_values_supported"):
        assert kari.comes_from_portal(acr_values=level).redirected_to()["code"]


@pytest.mark.parametrize(
    "grant",
    [
        "authorization_code", "refresh_token", "client_credentials", TOKEN_EXCHANGE, DEVICE_CODE, CIBA, "password",
        "implicit",
    ],
)  # fmt: skip
def test_grants(provider: Provider, grant: str) -> None:
    known = error(posts(provider, "/token", {"grant_type": grant}))[1] != "unsupported_grant_type"

    assert known is (grant in advertised(provider, "grant_types_supported"))


@pytest.mark.parametrize("mode", ["poll", "ping", "push"])
def test_ways_to_hear_of_a_decision(provider: Provider, document: dict[str, Any], mode: str) -> None:
    """OpenID CIBA Core §4."""
    told_at = {"backchannel_client_notification_endpoint": "https://a.example/ping"} if mode == "ping" else {}
    grants = ["authorization_code", "refresh_token", CIBA]
    try:
        works = provider.register(grant_types=grants, backchannel_token_delivery_mode=mode, **told_at) is not None
    except ValueError:
        works = False

    assert works is (mode in document["backchannel_token_delivery_modes_supported"])
    assert document["backchannel_user_code_parameter_supported"] is False


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "Ed25519"])
def test_algorithms_of_requests_by_the_back_channel(provider: Provider, algorithm: str) -> None:
    named = "backchannel_authentication_request_signing_alg"
    assert algorithm in advertised(provider, f"{named}_values_supported")
    told = {"backchannel_token_delivery_mode": "poll", named: algorithm}
    client = held_by(provider, algorithm, grant_types=["authorization_code", "refresh_token", CIBA], **told)
    now = idp_clock.timestamp()
    claims = {"iss": client.client.client_id, "aud": BASE, "iat": now, "nbf": now, "exp": now + 60, "jti": "once"}
    request = signs(algorithm, {**claims, "scope": "openid", "login_hint": "kari@example.no"})
    assert posts(provider, "/backchannel-authentication", {"request": request}, caller=client).status_code == 200


@pytest.mark.parametrize(
    "method",
    [
        "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "tls_client_auth",
        "self_signed_tls_client_auth", "none",
    ],
)  # fmt: skip
def test_ways_to_authenticate(provider: Provider, method: str) -> None:
    more: dict[str, Any] = {"jwks": {"keys": [SIGNING["ES256"].as_dict(private=False)]}}
    more |= {"tls_client_auth_san_dns": "a.example"} if method == "tls_client_auth" else {}
    try:
        works = provider.register(token_endpoint_auth_method=method, **more) is not None
    except ValueError:
        works = False

    assert works is (method in advertised(provider, "token_endpoint_auth_methods_supported"))


def held_by(provider: Provider, algorithm: str, **metadata: Any) -> Registered:
    """A client with a key of this algorithm."""
    jwk = {**SIGNING[algorithm].as_dict(private=False), "use": "sig"}
    return provider.register(jwks={"keys": [jwk]}, **metadata)


def signs(algorithm: str, claims: dict[str, Any], **header: str) -> str:
    """A token of the client's, by an algorithm that its library knows by either name."""
    named = "Ed25519" if algorithm == "EdDSA" else algorithm
    return jwt.encode({"alg": named, "kid": algorithm, **header}, claims, SIGNING[algorithm], algorithms=[named])


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "Ed25519"])
def test_algorithms_of_assertions_and_requests(kari: Person, algorithm: str) -> None:
    provider = kari.provider
    for name in ("token_endpoint_auth", "revocation_endpoint_auth", "introspection_endpoint_auth", "request_object"):
        assert algorithm in advertised(provider, f"{name}_signing_alg_values_supported")
    client = held_by(provider, algorithm, token_endpoint_auth_method="private_key_jwt")
    client_id, now = client.client.client_id, idp_clock.timestamp()
    about = {"iss": client_id, "sub": client_id, "aud": BASE, "exp": now + 60, "jti": secrets.token_urlsafe(9)}
    form = {"token": "x", "client_assertion_type": JWT_BEARER, "client_assertion": signs(algorithm, about)}
    assert posts(provider, "/revoke", form, authenticated=False).status_code == 200
    token = signs(algorithm, {**kari.request(client_id=client_id), "aud": BASE})
    assert kari.goes(f"/authorize?client_id={client_id}&request={token}").redirected_to()["code"]


def test_algorithms_that_are_not_advertised(provider: Provider) -> None:
    names = [name for name in gets(provider, "/.well-known/openid-configuration").get_json() if "signing_alg" in name]

    for name in names:
        assert not {"none", "ES384", "RS1"} & set(advertised(provider, name)), name
        if "_endpoint_auth_" not in name:  # a MAC is for a client to prove itself with, and for nothing else
            assert not {"HS256", "HS384", "HS512"} & set(advertised(provider, name)), name


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"])
def test_algorithms_of_what_we_sign(kari: Person, algorithm: str) -> None:
    provider = kari.provider
    for what in ("id_token", "userinfo", "authorization", "introspection"):
        assert algorithm in advertised(provider, f"{what}_signing_alg_values_supported")
    client = provider.register(
        **{
            f"{what}_signed_response_alg": algorithm
            for what in ("id_token", "userinfo", "authorization", "introspection")
        }
    )
    signed = kari.comes_from_portal(client_id=client.client.client_id, response_mode="jwt").redirected_to()["response"]
    assert part(signed, 0)["alg"] == algorithm
    kari.comes_from_portal(client_id=client.client.client_id)
    tokens = posts(provider, "/token", code_form(kari), caller=client).get_json()
    assert part(tokens["id_token"], 0)["alg"] == algorithm
    info = gets(provider, "/userinfo", **bearer(tokens["access_token"])).get_data(as_text=True)
    assert part(info, 0)["alg"] == algorithm
    accepts = {"Accept": "application/token-introspection+jwt"}
    told = posts(provider, "/introspect", {"token": "x"}, caller=client, headers=accepts).get_data(as_text=True)
    assert part(told, 0)["alg"] == algorithm


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"])
def test_algorithms_of_proofs(kari: Person, algorithm: str) -> None:
    assert algorithm in advertised(kari.provider, "dpop_signing_alg_values_supported")
    kari.comes_from_portal()
    proof = dpop_proof(SIGNING[algorithm], "POST", f"{BASE}/token", header={"alg": algorithm})

    assert posts(kari.provider, "/token", code_form(kari), headers={"DPoP": proof}).status_code == 200


def test_subjects_and_scopes(provider: Provider) -> None:
    for kind in advertised(provider, "subject_types_supported"):
        assert provider.register(subject_type=kind)
    scopes = [scope for scope in advertised(provider, "scopes_supported") if scope != "offline_access"]
    assert provider.register(scope=" ".join(scopes)).client.scopes == tuple(scopes)


def test_languages(kari: Person) -> None:
    """What is offered is spoken."""
    for language in advertised(kari.provider, "ui_locales_supported"):
        stranger = kari.provider.person().comes_from_portal(ui_locales=language)
        assert f'<html lang="{language}"' in stranger.page.html


@pytest.mark.parametrize("kind", ["alumni_records", "account_information"])
def test_types_of_authorization_details(provider: Provider, kind: str) -> None:
    """RFC 9396 §10."""
    try:
        works = provider.register(authorization_details_types=[kind]) is not None
    except ValueError:
        works = False

    assert works is (kind in advertised(provider, "authorization_details_types_supported"))


@pytest.mark.parametrize("what", ["id_token", "userinfo", "authorization", "introspection", "request_object"])
@pytest.mark.parametrize(("member", "value"), [("alg", "RSA-OAEP-256"), ("enc", "A256GCM")])
def test_what_can_be_encrypted(provider: Provider, what: str, member: str, value: str) -> None:
    """Request objects cannot: we have no key to open them with, and a pushed one travels encrypted anyway."""
    key = RSAKey.generate_key(2048, parameters={"kid": "e", "use": "enc"}).as_dict(private=False)
    name = "request_object_encryption" if what == "request_object" else f"{what}_encrypted_response"
    told: dict[str, Any] = {"jwks": {"keys": [key]}}
    told |= {f"{name}_alg": "RSA-OAEP-256"} if member == "enc" else {}
    try:
        works = provider.register(**told, **{f"{name}_{member}": value}) is not None
    except ValueError:
        works = False
    document = gets(provider, "/.well-known/openid-configuration").get_json()

    assert works is (value in document.get(f"{what}_encryption_{member}_values_supported", []))
