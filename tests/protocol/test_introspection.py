"""Token introspection (RFC 7662), and its signed and encrypted answers (RFC 9701)."""

from __future__ import annotations

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from tests.people import PAYSLIPS, Person, Provider
from tests.protocol.signed_in import (
    BASE,
    bearer,
    error,
    gets,
    given,
    jwks,
    part,
    posts,
    told,
)

KEY = ECKey.generate_key("P-256", parameters={"kid": "one"})
RSA = RSAKey.generate_key(2048, parameters={"kid": "enc", "use": "enc"})


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def test_introspection_is_for_authenticated_callers_about_their_own_tokens(kari: Person) -> None:
    """SR-98."""
    provider = kari.provider
    server = provider.register(
        client_name="Payslips",
        redirect_uris=None,
        grant_types=["client_credentials"],
        scope="",
        resource_server=PAYSLIPS,
        resources=None,
    )
    them = (server.client.client_id, server.secret)
    for_api = kari.comes_from_portal(resource=PAYSLIPS).tokens()["access_token"]
    ours = kari.comes_from_portal().tokens()["access_token"]
    found = provider.post("/introspect", {"token": for_api}, auth=them).get_json()
    assert found["active"] is True
    assert (found["sub"], found["aud"], found["client_id"]) == (kari.sub, PAYSLIPS, provider.portal)
    assert provider.post("/introspect", {"token": ours}, auth=them).get_json() == {"active": False}
    assert provider.post("/introspect", {"token": ours}).get_json()["active"] is True
    assert provider.post("/introspect", {"token": "x"}).get_json() == {"active": False}
    assert provider.post("/introspect", {"token": ours}, auth=False).status_code == 401


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
