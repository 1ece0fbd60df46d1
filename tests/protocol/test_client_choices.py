"""What a client may choose for itself: subjects, keys, signed and encrypted answers, defaults, a profile."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from idp import clock as idp_clock
from idp.services import client_keys
from idp.services.clients import Registered
from tests.client_site import ClientSite
from tests.conftest import Clock
from tests.people import Person, Provider
from tests.proofs import dpop_proof
from tests.protocol.signed_in import BASE, assertion, bearer, code_form, error, gets, part, posts, refreshes, told

KEY = ECKey.generate_key("P-256", parameters={"kid": "one"})
OTHER = ECKey.generate_key("P-256", parameters={"kid": "two"})
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


REACHES_SITE = True


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def given(person: Person, client: Registered, **parameters: str) -> dict[str, Any]:
    """The tokens that this client gets."""
    person.comes_from_portal(client_id=client.client.client_id, **parameters)
    answer = posts(person.provider, "/token", code_form(person), caller=client)
    tokens: dict[str, Any] = answer.get_json()
    return tokens


def jwks(*keys: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


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


# Signed introspection: RFC 9701

ACCEPTED = {"Accept": "application/token-introspection+jwt"}


def test_introspection_may_be_signed(kari: Person, provider: Provider) -> None:
    """RFC 9701 §5: typed, for the caller alone, what would be told plainly inside; nothing of it is a token."""
    client = provider.register(introspection_signed_response_alg="ES256")
    token = given(kari, client)["access_token"]
    plain = posts(provider, "/introspect", {"token": token}, caller=client).get_json()
    answer = posts(provider, "/introspect", {"token": token}, caller=client, headers=ACCEPTED)
    text = answer.get_data(as_text=True)

    assert answer.mimetype == "application/token-introspection+jwt"
    assert (part(text, 0)["typ"], part(text, 0)["alg"]) == ("token-introspection+jwt", "ES256")
    claims = told(text)
    assert (claims["iss"], claims["aud"]) == (BASE, client.client.client_id)
    assert claims["token_introspection"] == plain
    assert not {"sub", "exp"} & claims.keys()
    assert error(gets(provider, "/userinfo", **bearer(text))) == (401, "invalid_token")


def test_introspection_may_be_encrypted(kari: Person, provider: Provider) -> None:
    """RFC 9701 §5, §6: signed, then encrypted; also that nothing is active."""
    client = provider.register(
        jwks=jwks(KEY, RSA), introspection_signed_response_alg="ES256", introspection_encrypted_response_alg="RSA-OAEP"
    )
    token = given(kari, client)["access_token"]
    for shown, active in ((token, True), ("nothing", False)):
        answer = posts(provider, "/introspect", {"token": shown}, caller=client, headers=ACCEPTED)
        assert answer.mimetype == "application/token-introspection+jwt"
        opened = jwe.decrypt_compact(answer.get_data(as_text=True), RSA, algorithms=["RSA-OAEP", "A128CBC-HS256"])
        assert opened.protected["cty"] == "JWT"
        assert opened.plaintext is not None
        inner = opened.plaintext.decode()
        assert part(inner, 0)["typ"] == "token-introspection+jwt"
        assert told(inner)["token_introspection"]["active"] is active


def test_introspection_without_a_key_of_the_caller_is_not_told(kari: Person, provider: Provider) -> None:
    client = provider.register(jwks=jwks(KEY), introspection_encrypted_response_alg="RSA-OAEP")
    answer = posts(provider, "/introspect", {"token": "x"}, caller=client, headers=ACCEPTED)

    assert error(answer) == (400, "invalid_request")


def test_no_client_is_promised_a_signature_that_nobody_can_make(provider: Provider) -> None:
    """A resource server, too, which has no redirect URIs."""
    with pytest.raises(ValueError, match=r"introspection_signed_response_alg: there is no signing key for PS256"):
        provider.register(
            introspection_signed_response_alg="PS256",
            resource_server="https://api.example/",
            redirect_uris=[],
            grant_types=[],
            scope="",
            client_uri=None,
        )


def test_what_is_not_active_is_signed_too(provider: Provider) -> None:
    """RFC 9701 §5, §6: RS256 where no algorithm is registered."""
    answer = posts(provider, "/introspect", {"token": "nothing"}, headers=ACCEPTED)
    text = answer.get_data(as_text=True)

    assert told(text)["token_introspection"] == {"active": False}
    assert part(text, 0)["alg"] == "RS256"


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


# The profile of FAPI 2.0

PROOF = ECKey.generate_key("P-256")


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
    form = {"token": "nothing", **says(strict)}
    answer = posts(kari.provider, "/introspect", form, authenticated=False, headers=ACCEPTED).get_data(as_text=True)
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
