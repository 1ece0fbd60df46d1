"""Client authentication (RFC 6749 §2.3, RFC 7521, RFC 7523); requirements SR-82, SR-83 and what clients send."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp import clock
from idp.protocol.client_auth import JWT_BEARER
from idp.services.clients import Registered
from tests.people import Provider
from tests.protocol.signed_in import BASE, assertion, basic, code_form, error, posts, signed_in

REFUSED = (401, "invalid_client")
KNOWN = (400, "invalid_grant")
"""What a client hears that was let in with a refresh token that is nothing."""

ASKED = {"grant_type": "refresh_token", "refresh_token": "nothing"}


def tries(provider: Provider, form: dict[str, Any], headers: dict[str, str] | None = None) -> TestResponse:
    """One try, with nothing added."""
    return posts(provider, "/token", {**ASKED, **form}, headers=headers, authenticated=False)


@pytest.fixture(scope="module")
def key() -> ECKey:
    """A client's key."""
    return ECKey.generate_key("P-256", {"kid": "one"}, auto_kid=False)


@pytest.fixture(scope="module")
def signer(provider: Provider, key: ECKey) -> Registered:
    """A client that signs."""
    return provider.register(
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="ES256",
        jwks={"keys": [key.as_dict(private=False)]},
    )


def signs(provider: Provider, text: str, **form: str) -> tuple[int, str]:
    """What an assertion gets."""
    return error(tries(provider, {"client_assertion_type": JWT_BEARER, "client_assertion": text, **form}))


def test_basic_is_taken_encoded_or_not(provider: Provider) -> None:
    """RFC 6749 §2.3.1; client libraries, no. 1."""
    encoded = ["".join(f"%{ord(letter):02X}" for letter in text) for text in (provider.portal, provider.secret)]
    assert error(tries(provider, {}, basic(provider.portal, provider.secret))) == KNOWN
    assert error(tries(provider, {}, basic(*encoded))) == KNOWN


@pytest.mark.parametrize("client", ["the portal", "nobody", "", "no\x00body", "n%00"])
def test_unknown_clients_and_wrong_secrets_look_alike(provider: Provider, client: str) -> None:
    """RFC 6749 §5.2; SR-82; requirements, section R."""
    name = provider.portal if client == "the portal" else client
    answer = tries(provider, {}, basic(name, "wrong"))
    assert error(answer) == REFUSED
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.get_json()["error_description"] == "client authentication failed"


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic /w==", "Bearer abc", "Digest x", ""])
def test_a_header_that_says_nothing_is_refused(provider: Provider, header: str) -> None:
    """RFC 7617 §2."""
    assert error(tries(provider, {}, {"Authorization": header})) == REFUSED


def test_only_the_registered_method_is_taken(provider: Provider) -> None:
    """RFC 9700 §2.5; SR-82."""
    in_body = {"client_id": provider.portal, "client_secret": provider.secret}
    assert error(tries(provider, in_body)) == REFUSED
    poster = provider.register(token_endpoint_auth_method="client_secret_post")
    identity, secret = poster.client.client_id, poster.secret or ""
    assert error(tries(provider, {}, basic(identity, secret))) == REFUSED
    assert error(tries(provider, {"client_id": identity, "client_secret": secret})) == KNOWN


def test_a_confidential_client_that_only_says_its_name_is_refused(provider: Provider) -> None:
    """SR-82."""
    assert error(tries(provider, {"client_id": provider.portal})) == REFUSED


def test_a_public_client_says_its_name_and_has_no_secret(provider: Provider) -> None:
    """RFC 6749 §3.2.1."""
    public = provider.register(token_endpoint_auth_method="none").client.client_id
    assert error(tries(provider, {"client_id": public})) == KNOWN
    assert error(tries(provider, {"client_id": public, "client_secret": "guess"})) == REFUSED


def test_two_methods_at_once_are_an_invalid_request(provider: Provider) -> None:
    """RFC 6749 §2.3; SR-82."""
    both = tries(provider, {"client_secret": provider.secret}, basic(provider.portal, provider.secret))
    assert error(both) == (400, "invalid_request")


def test_a_secret_in_the_url_is_not_looked_at(provider: Provider) -> None:
    """RFC 6749 §2.3.1; SR-82."""
    poster = provider.register(token_endpoint_auth_method="client_secret_post")
    url = f"/token?client_id={poster.client.client_id}&client_secret={poster.secret}"
    assert error(posts(provider, url, ASKED, authenticated=False)) == REFUSED


def test_a_failed_try_does_not_spend_the_code(provider: Provider) -> None:
    """Client libraries, no. 6."""
    form = code_form(signed_in(provider).comes_from_portal())
    assert error(tries(provider, {**form, "client_id": provider.portal, "client_secret": provider.secret})) == REFUSED
    assert posts(provider, "/token", form).status_code == 200


@pytest.mark.parametrize("audience", [BASE, f"{BASE}/token", [BASE], [f"{BASE}/token", "https://other.example"]])
def test_an_assertion_may_be_aimed_at_the_issuer_or_the_endpoint(
    provider: Provider, key: ECKey, signer: Registered, audience: object
) -> None:
    """RFC 7523 §3; SR-83; client libraries, no. 2."""
    assert signs(provider, assertion(key, signer.client.client_id, aud=audience)) == KNOWN


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": None},
        {"aud": "https://other.example"},
        {"aud": 7},
        {"aud": [7]},
        {"iss": "other"},
        {"iss": None},
        {"sub": "other"},
        {"sub": None},
        {"exp": None},
        {"exp": "soon"},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"iat": "now"},
    ],
)
def test_an_assertion_that_lacks_something_is_refused(
    provider: Provider, key: ECKey, signer: Registered, changes: dict[str, Any]
) -> None:
    """RFC 7523 §3; SR-83."""
    assert signs(provider, assertion(key, signer.client.client_id, **changes)) == REFUSED


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (("exp", -1), REFUSED),
        (("exp", 3600), KNOWN),
        (("exp", 3700), REFUSED),
        (("iat", 8), KNOWN),
        (("iat", 70), REFUSED),
        (("nbf", 8), KNOWN),
        (("nbf", 70), REFUSED),
    ],
)
def test_the_times_of_an_assertion_are_held_to(
    provider: Provider, key: ECKey, signer: Registered, moment: tuple[str, int], expected: tuple[int, str]
) -> None:
    """RFC 7523 §3; SR-83; client libraries, no. 2."""
    claim, seconds = moment
    changes: dict[str, Any] = {claim: clock.timestamp() + seconds}
    assert signs(provider, assertion(key, signer.client.client_id, **changes)) == expected


def test_an_assertion_is_used_once(provider: Provider, key: ECKey, signer: Registered) -> None:
    """RFC 7523 §3; SR-83."""
    text = assertion(key, signer.client.client_id)
    assert signs(provider, text) == KNOWN
    assert signs(provider, text) == REFUSED


def test_an_assertion_by_another_key_or_of_an_odd_kind_is_refused(
    provider: Provider, key: ECKey, signer: Registered
) -> None:
    """SR-83, SR-92, SR-118: never "none"."""
    identity = signer.client.client_id
    stranger = ECKey.generate_key("P-256", {"kid": "one"}, auto_kid=False)
    good = assertion(key, identity)
    assert signs(provider, assertion(stranger, identity)) == REFUSED
    assert signs(provider, "eyJhbGciOiJub25lIn0." + good.split(".")[1] + ".") == REFUSED
    assert signs(provider, good + "x") == REFUSED
    for odd in ("", "x", "a.b", "a.b.c", "é.é.é", "." * 9):
        assert signs(provider, odd)[0] in (400, 401)
    assert signs(provider, good, client_assertion_type="urn:other") == (400, "invalid_request")
    assert signs(provider, good, client_id=provider.portal) == REFUSED
    assert signs(provider, good) == KNOWN
