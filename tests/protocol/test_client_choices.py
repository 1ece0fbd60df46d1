"""What a client may choose for itself: subjects, keys, signed and encrypted answers, defaults."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from idp.services import client_keys
from idp.services.clients import Registered
from tests.client_site import ClientSite
from tests.people import Person, Provider
from tests.protocol.signed_in import (
    BASE,
    assertion,
    bearer,
    error,
    gets,
    given,
    jwks,
    posts,
    told,
)

KEY = ECKey.generate_key("P-256", parameters={"kid": "one"})
OTHER = ECKey.generate_key("P-256", parameters={"kid": "two"})
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


REACHES_SITE = True


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


# Subjects: OIDC Core §8


def test_pairwise_subjects_differ_by_sector_and_stay(kari: Person, provider: Provider) -> None:
    """§8.1: the same in ID token, userinfo and introspection; never the account's own id."""
    here = provider.register(subject_type="pairwise")
    beside = provider.register(subject_type="pairwise")
    elsewhere = provider.register(subject_type="pairwise", redirect_uris=["https://other.example/cb"])
    tokens = given(kari, here)
    sub = told(tokens["id_token"])["sub"]

    assert sub != kari.sub
    assert sub.isascii()
    assert len(sub) <= 255
    assert gets(provider, "/userinfo", **bearer(tokens["access_token"])).get_json()["sub"] == sub
    assert posts(provider, "/introspect", {"token": tokens["access_token"]}, caller=here).get_json()["sub"] == sub
    assert told(given(kari, beside)["id_token"])["sub"] == sub
    kari.comes_from_portal(client_id=elsewhere.client.client_id, redirect_uri="https://other.example/cb")
    assert kari.answer is not None
    assert "code=" in kari.answer.headers["Location"]
    other = provider.person().is_signed_in()
    assert told(given(other, here)["id_token"])["sub"] != sub


def test_a_pairwise_subject_is_understood_as_a_hint(kari: Person, provider: Provider) -> None:
    """OIDC Core §3.1.2.1, §5.5.1, RP-Initiated Logout §2."""
    client = provider.register(subject_type="pairwise", post_logout_redirect_uris=["https://portal.example/out"])
    hint = given(kari, client)["id_token"]
    sub = told(hint)["sub"]
    asked = {"prompt": "none", "client_id": client.client.client_id}

    assert kari.comes_from_portal(id_token_hint=hint, **asked).redirected_to()["code"]
    wanted = orjson.dumps({"id_token": {"sub": {"value": sub}}}).decode()
    assert kari.comes_from_portal(claims=wanted, **asked).redirected_to()["code"]
    stranger = orjson.dumps({"id_token": {"sub": {"value": "somebody"}}}).decode()
    assert kari.comes_from_portal(claims=stranger, **asked).redirected_to()["error"] == "login_required"
    kari.goes(f"/logout?id_token_hint={hint}&post_logout_redirect_uri=https://portal.example/out")
    assert kari.answer is not None
    assert kari.answer.headers["Location"] == "https://portal.example/out"


def test_several_hosts_need_a_list_that_names_them(provider: Provider, site: ClientSite) -> None:
    """OIDC Core §8.1, Registration §5."""
    both = ["https://a.example/cb", "https://b.example/cb"]
    with pytest.raises(ValueError, match="sector_identifier_uri"):
        provider.register(subject_type="pairwise", redirect_uris=both)
    uri = f"{site.url}/sector"
    site.documents["/sector"] = both[:1]
    with pytest.raises(ValueError, match=r"lacks 'https://b.example/cb'"):
        provider.register(subject_type="pairwise", redirect_uris=both, sector_identifier_uri=uri)
    site.documents["/sector"] = {"not": "a list"}
    with pytest.raises(ValueError, match="no JSON list"):
        provider.register(subject_type="pairwise", redirect_uris=both, sector_identifier_uri=uri)
    site.documents["/sector"] = both
    assert provider.register(subject_type="pairwise", redirect_uris=both, sector_identifier_uri=uri).client.sector == (
        "localhost"
    )


# Keys at an address of the client's: OIDC Core §10.1.1, SR-100, SR-112


def authenticates(provider: Provider, client: Registered, key: ECKey) -> int:
    form = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion(key, client.client.client_id)}
    return posts(provider, "/revoke", {"token": "x", **form}, authenticated=False).status_code


def test_keys_are_fetched_once_and_again_for_a_new_one(
    provider: Provider, site: ClientSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.documents["/jwks"] = jwks(KEY)
    site.asked.clear()
    client = provider.register(token_endpoint_auth_method="private_key_jwt", jwks_uri=f"{site.url}/jwks")

    assert [authenticates(provider, client, KEY) for _ in range(3)] == [200, 200, 200]
    assert site.asked == ["/jwks"]
    site.documents["/jwks"] = jwks(OTHER)
    assert authenticates(provider, client, OTHER) == 401  # asked for less than a minute ago
    monkeypatch.setattr(client_keys, "NOT_AGAIN_FOR", 0.0)
    assert authenticates(provider, client, OTHER) == 200
    assert authenticates(provider, client, KEY) == 401
    assert authenticates(provider, client, OTHER) == 200


def test_keys_stay_when_they_cannot_be_fetched_anew(
    provider: Provider, site: ClientSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.documents["/steady"] = jwks(KEY)
    client = provider.register(token_endpoint_auth_method="private_key_jwt", jwks_uri=f"{site.url}/steady")
    assert authenticates(provider, client, KEY) == 200

    monkeypatch.setattr(client_keys, "KEPT_FOR", 0.0)
    monkeypatch.setattr(client_keys, "NOT_AGAIN_FOR", 0.0)
    for nonsense in (b"<html>", b"[]", b'{"keys": 7}', None):
        site.documents["/steady"] = nonsense
        assert authenticates(provider, client, KEY) == 200


def test_a_set_that_was_never_there_lets_nobody_in(provider: Provider, site: ClientSite) -> None:
    client = provider.register(token_endpoint_auth_method="private_key_jwt", jwks_uri=f"{site.url}/nothing")

    assert authenticates(provider, client, KEY) == 401


def test_keys_of_other_kinds_are_passed_over(provider: Provider, site: ClientSite) -> None:
    """RFC 7517 §5."""
    odd = {"kty": "EC", "crv": "P-521", "kid": "odd", "x": "AA", "y": "AA"}
    site.documents["/mixed"] = {"keys": [odd, {"kty": "quantum"}, 7, *jwks(KEY)["keys"]]}
    client = provider.register(token_endpoint_auth_method="private_key_jwt", jwks_uri=f"{site.url}/mixed")

    assert authenticates(provider, client, KEY) == 200


def test_keys_are_given_in_one_way(provider: Provider, site: ClientSite) -> None:
    """RFC 7591 §2."""
    with pytest.raises(ValueError, match="one of the two"):
        provider.register(jwks=jwks(KEY), jwks_uri=f"{site.url}/jwks")


# Signed and encrypted answers


def test_userinfo_may_be_signed(kari: Person, provider: Provider) -> None:
    """OIDC Core §5.3.2: with issuer and audience, as application/jwt."""
    for algorithm in ("RS256", "ES256"):
        client = provider.register(userinfo_signed_response_alg=algorithm)
        answer = gets(provider, "/userinfo", **bearer(given(kari, client)["access_token"]))
        assert answer.mimetype == "application/jwt"
        keys = KeySet.import_key_set(gets(provider, "/jwks").get_json())
        claims = jwt.decode(answer.get_data(as_text=True), keys, algorithms=[algorithm]).claims
        assert (claims["iss"], claims["aud"], claims["sub"]) == (BASE, client.client.client_id, kari.sub)
        assert claims["email"] == kari.email


RSA = RSAKey.generate_key(2048, parameters={"kid": "enc", "use": "enc"})
EC = ECKey.generate_key("P-256", parameters={"kid": "enc", "use": "enc"})


@pytest.mark.parametrize(
    ("key", "algorithm", "cipher"),
    [
        (RSA, "RSA-OAEP", None),
        (RSA, "RSA-OAEP-256", "A256GCM"),
        (EC, "ECDH-ES", "A128GCM"),
        (EC, "ECDH-ES+A128KW", "A256CBC-HS512"),
        (EC, "ECDH-ES+A256KW", "A128CBC-HS256"),
    ],
    ids=["OAEP", "OAEP-256", "ECDH", "A128KW", "A256KW"],
)
def test_what_is_encrypted_only_the_client_can_read(
    kari: Person, provider: Provider, key: Any, algorithm: str, cipher: str | None
) -> None:
    """OIDC Core §10.2: signed, then encrypted; plain userinfo may be encrypted, too."""
    client = provider.register(
        jwks=jwks(KEY, key),
        id_token_encrypted_response_alg=algorithm,
        id_token_encrypted_response_enc=cipher,
        userinfo_encrypted_response_alg=algorithm,
        userinfo_encrypted_response_enc=cipher,
    )
    tokens = given(kari, client)
    allowed = [algorithm, cipher or "A128CBC-HS256"]
    opened = jwe.decrypt_compact(tokens["id_token"], key, algorithms=allowed)
    assert (opened.protected["cty"], opened.protected["kid"]) == ("JWT", "enc")
    assert opened.plaintext is not None
    assert told(opened.plaintext.decode())["sub"] == kari.sub
    answer = gets(provider, "/userinfo", **bearer(tokens["access_token"]))
    info = jwe.decrypt_compact(answer.get_data(as_text=True), key, algorithms=allowed)
    assert info.plaintext is not None
    assert orjson.loads(info.plaintext)["email"] == kari.email


def test_what_cannot_be_encrypted_is_not_told(kari: Person, provider: Provider) -> None:
    client = provider.register(jwks=jwks(KEY), userinfo_encrypted_response_alg="RSA-OAEP")
    token = given(kari, client)["access_token"]

    assert error(gets(provider, "/userinfo", **bearer(token))) == (400, "invalid_request")


def test_encryption_needs_a_key_and_an_algorithm(provider: Provider) -> None:
    """OpenID Connect Registration §2."""
    for what in ("id_token", "userinfo", "authorization", "introspection"):
        algorithm, cipher = f"{what}_encrypted_response_alg", f"{what}_encrypted_response_enc"
        with pytest.raises(ValueError, match="public keys"):
            provider.register(**{algorithm: "RSA-OAEP"})
        with pytest.raises(ValueError, match=f"needs {algorithm}"):
            provider.register(jwks=jwks(RSA), **{cipher: "A256GCM"})
        with pytest.raises(ValueError, match="allowed: RSA-OAEP"):
            provider.register(jwks=jwks(RSA), **{algorithm: "RSA1_5"})


# Defaults


def test_a_default_age_counts_where_none_is_asked_for(provider: Provider) -> None:
    """OpenID Connect Registration §2: `default_max_age`; a request may say otherwise."""
    from tests.protocol.signed_in import signed_in

    kari = signed_in(provider, ago=600)
    client = provider.register(default_max_age=300).client.client_id
    asked = {"client_id": client, "prompt": "none"}

    assert kari.comes_from_portal(**asked).redirected_to()["error"] == "login_required"
    assert kari.comes_from_portal(**asked, max_age="1000").redirected_to()["code"]


def test_default_levels_count_where_none_is_asked_for(kari: Person, provider: Provider) -> None:
    """OpenID Connect Registration §2: `default_acr_values`."""
    unreachable = "http://eidas.europa.eu/LoA/high"
    client = provider.register(default_acr_values=[unreachable]).client.client_id

    told_client = kari.comes_from_portal(client_id=client).redirected_to()
    assert told_client["error"] == "unmet_authentication_requirements"
    mfa = "https://refeds.org/profile/mfa"
    assert kari.comes_from_portal(client_id=client, acr_values=mfa).redirected_to()["code"]
