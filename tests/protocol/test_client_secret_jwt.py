"""client_secret_jwt: a client that proves itself by MACs (OpenID Connect Core §9, RFC 7523; SR-82, SR-83)."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import orjson
import pytest
from authlib.oauth2.rfc7523 import client_secret_jwt_sign
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey

from idp import clock
from idp.protocol.client_auth import JWT_BEARER
from idp.services import clients
from idp.services.clients import InvalidMetadata, Registered
from idp.stores.durable.db import db, reading
from tests.people import Provider
from tests.protocol.signed_in import BASE, assertion, basic, code_form, error, posts, signed_in

REFUSED, KNOWN = (401, "invalid_client"), (400, "invalid_grant")
MACS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


@pytest.fixture(scope="module")
def client(provider: Provider) -> Registered:
    return provider.register(token_endpoint_auth_method="client_secret_jwt")


def claims(client_id: str, **changes: Any) -> dict[str, Any]:
    now = clock.timestamp()
    usual = {"iss": client_id, "sub": client_id, "aud": BASE, "exp": now + 60, "jti": secrets.token_urlsafe(9)}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def mac(secret: str, told: dict[str, Any], algorithm: str = "HS256", **header: Any) -> str:
    """A token as a client library makes it; also with a secret that is a key's text, which a library would refuse."""
    registry = jws.JWSRegistry(algorithms=[*MACS], strict_check_header=False)
    key = OctKey.import_key(secret)
    return jwt.encode({"alg": algorithm, **header}, told, key, registry=registry)


def tries(provider: Provider, text: str, **form: str) -> tuple[int, str]:
    asked = {"grant_type": "refresh_token", "refresh_token": "nothing", "client_assertion_type": JWT_BEARER}
    return error(posts(provider, "/token", {**asked, "client_assertion": text, **form}, authenticated=False))


@pytest.mark.parametrize("algorithm", MACS)
def test_a_client_proves_itself_by_a_mac(provider: Provider, client: Registered, algorithm: str) -> None:
    identity, secret = client.client.client_id, client.secret or ""

    assert len(secret) >= 64  # RFC 7518 §3.2: as long as the longest hash
    assert tries(provider, mac(secret, claims(identity), algorithm)) == KNOWN


def test_a_library_that_is_not_ours_gets_tokens(provider: Provider, client: Registered) -> None:
    identity = client.client.client_id
    text = client_secret_jwt_sign(OctKey.import_key(client.secret or ""), identity, f"{BASE}/token")
    form = code_form(signed_in(provider).comes_from_portal(client_id=identity))
    made = text if isinstance(text, str) else text.decode()

    given = posts(
        provider, "/token", {**form, "client_assertion_type": JWT_BEARER, "client_assertion": made}, authenticated=False
    )
    assert given.status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": None}, {"aud": "https://other.example"}, {"iss": "other"}, {"iss": None}, {"sub": "other"},
        {"exp": None}, {"exp": 1}, {"jti": None}, {"jti": ""}, {"iat": "now"},
    ],
)  # fmt: skip
def test_what_lacks_something_is_refused(provider: Provider, client: Registered, changes: dict[str, Any]) -> None:
    """SR-83, as for signed assertions."""
    assert tries(provider, mac(client.secret or "", claims(client.client.client_id, **changes))) == REFUSED


def test_an_assertion_is_used_once(provider: Provider, client: Registered) -> None:
    """SR-83: jti."""
    text = mac(client.secret or "", claims(client.client.client_id))

    assert tries(provider, text) == KNOWN
    assert tries(provider, text) == REFUSED


def test_another_secret_and_an_unknown_client_look_alike(provider: Provider, client: Registered) -> None:
    """SR-82."""
    for text in (mac("x" * 86, claims(client.client.client_id)), mac("x" * 86, claims("c_nobody"))):
        assert tries(provider, text) == REFUSED


def test_a_key_is_never_taken_for_a_secret(provider: Provider) -> None:
    """RFC 8725 §3.1: the oldest trick, a MAC with the text of a public key; and a signature where a MAC is due."""
    key = ECKey.generate_key("P-256", {"kid": "one"}, auto_kid=False)
    jwks = {"keys": [key.as_dict(private=False)]}
    signer = provider.register(token_endpoint_auth_method="private_key_jwt", jwks=jwks).client.client_id
    for secret in (key.as_pem(private=False).decode(), str(key.as_dict()["x"])):
        for algorithm in MACS:
            forged = _forged(secret, claims(signer), {"alg": algorithm, "kid": "one"})
            assert tries(provider, forged) == REFUSED
    both = provider.register(token_endpoint_auth_method="client_secret_jwt", jwks=jwks)
    assert tries(provider, assertion(key, both.client.client_id)) == REFUSED
    none = "eyJhbGciOiJub25lIn0." + assertion(key, both.client.client_id).split(".")[1] + "."
    assert tries(provider, none) == REFUSED


def _forged(secret: str, told: dict[str, Any], header: dict[str, Any]) -> str:
    """By hand: libraries refuse to use the text of a key as a secret."""
    content = ".".join(urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in (header, told))
    made = hmac.digest(secret.encode(), content.encode(), MACS[header["alg"]])
    return f"{content}.{urlsafe_b64encode(made).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"]}, {"jwk": {"kty": "oct", "k": "eA"}}, {"jku": "https://e.example/"}]
)
def test_a_header_that_says_how_to_trust_it_is_refused(
    provider: Provider, client: Registered, header: dict[str, Any]
) -> None:
    """SR-92."""
    told = claims(client.client.client_id)

    assert tries(provider, _forged(client.secret or "", told, {"alg": "HS256", **header})) == REFUSED
    assert tries(provider, _forged(client.secret or "", told, {"alg": "HS256"})) == KNOWN


def test_only_the_registered_method_and_algorithm_count(provider: Provider, client: Registered) -> None:
    """SR-82."""
    identity, secret = client.client.client_id, client.secret or ""
    asked = {"grant_type": "refresh_token", "refresh_token": "nothing"}
    assert error(posts(provider, "/token", asked, headers=basic(identity, secret), authenticated=False)) == REFUSED
    by_body = {**asked, "client_id": identity, "client_secret": secret}
    assert error(posts(provider, "/token", by_body, authenticated=False)) == REFUSED
    poster = provider.register()
    assert tries(provider, mac((poster.secret or "") * 2, claims(poster.client.client_id))) == REFUSED
    strict = provider.register(token_endpoint_auth_method="client_secret_jwt", token_endpoint_auth_signing_alg="HS512")
    for algorithm, expected in (("HS256", REFUSED), ("HS512", KNOWN)):
        assert tries(provider, mac(strict.secret or "", claims(strict.client.client_id), algorithm)) == expected


@pytest.mark.parametrize(
    ("method", "algorithm"),
    [("client_secret_jwt", "ES256"), ("client_secret_jwt", "RS256"), ("private_key_jwt", "HS256")],
)
def test_a_mac_goes_with_a_secret_and_a_signature_with_a_key(provider: Provider, method: str, algorithm: str) -> None:
    key = ECKey.generate_key("P-256", {"kid": "one"}, auto_kid=False)
    with pytest.raises(InvalidMetadata, match=f"{algorithm} is for"):
        provider.register(
            token_endpoint_auth_method=method,
            token_endpoint_auth_signing_alg=algorithm,
            jwks={"keys": [key.as_dict(private=False)]},
        )


def test_the_profile_has_no_secrets(provider: Provider) -> None:
    """FAPI 2.0 §5.3.2.1."""
    with pytest.raises(InvalidMetadata, match="fapi2"):
        provider.register(token_endpoint_auth_method="client_secret_jwt", profile="fapi2")


def test_nobody_reads_the_secret_from_the_database(provider: Provider, client: Registered, tmp_path: Path) -> None:
    """SR-82: sealed for its own row, for clients that make MACs, and only a digest for all others."""
    identity, secret = client.client.client_id, client.secret or ""
    with provider.app.app_context(), reading() as connection:
        rows = {
            row.client_id: row
            for row in connection.execute(db.metadata.tables["clients"].select())  # every client of this file
        }
    assert rows[identity].sealed_secret is not None
    assert secret.encode() not in bytes(rows[identity].sealed_secret)
    assert rows[provider.portal].sealed_secret is None
    for file in Path(provider.parts.settings.database.url.removeprefix("sqlite:///")).parent.glob("*.sqlite*"):
        assert secret.encode() not in file.read_bytes(), file


def test_a_secret_is_made_anew_where_the_old_one_cannot_be_read(provider: Provider) -> None:
    poster = provider.register()
    identity = poster.client.client_id
    told = {
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://portal.example/callback"],
        "scope": "openid offline_access",
    }
    with provider.app.app_context():
        changed = clients.edit(identity, {**told, "token_endpoint_auth_method": "client_secret_jwt"})
        assert changed.secret not in (None, poster.secret)
        assert clients.edit(identity, {**told, "token_endpoint_auth_method": "client_secret_jwt"}).secret is None
        assert tries(provider, mac(changed.secret or "", claims(identity))) == KNOWN
        rotated = clients.rotate_secret(identity).secret or ""
    assert tries(provider, mac(changed.secret or "", claims(identity))) == REFUSED
    assert tries(provider, mac(rotated, claims(identity))) == KNOWN
    with provider.app.app_context():
        clients.edit(identity, {**told, "token_endpoint_auth_method": "client_secret_basic"})
    assert tries(provider, mac(rotated, claims(identity))) == REFUSED
    asked = {"grant_type": "refresh_token", "refresh_token": "nothing"}
    assert error(posts(provider, "/token", asked, headers=basic(identity, rotated), authenticated=False))[0] == 400
