"""Client libraries in Python: pyoidc, certified long ago and strict, and Authlib's client side."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from oic.extension.client import Client as RevokingClient
from oic.oic import Client
from oic.oic.message import AuthorizationResponse, RegistrationResponse
from oic.utils.authn.client import CLIENT_AUTHN_METHOD

from tests.clients.running import Browser, Running, parameters

CALLBACK = "https://client.example/callback"
SIGNED_OUT = "https://client.example/signed-out"
SCOPE = ["openid", "profile", "email", "offline_access"]
METADATA: dict[str, Any] = {
    "client_name": "Somebody else's library",
    "redirect_uris": [CALLBACK],
    "post_logout_redirect_uris": [SIGNED_OUT],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": " ".join(SCOPE),
}


def test_pyoidc_completes_everything(provider: Running, kari: Browser) -> None:
    """Discovery, code with PKCE, ID token, userinfo, refresh, revocation, logout; the secret in the body."""
    registered = provider.register(**METADATA, token_endpoint_auth_method="client_secret_post")
    client = _pyoidc(provider, registered)
    state, nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    challenge, verifier = client.add_code_challenge()
    asked = {"response_type": "code", "scope": SCOPE, "redirect_uri": CALLBACK, "state": state, "nonce": nonce}
    request = client.construct_AuthorizationRequest(request_args={**asked, **challenge})
    landed = kari.signs_up(request.request(client.authorization_endpoint))

    answer = client.parse_response(AuthorizationResponse, info=landed.partition("?")[2], sformat="urlencoded")
    tokens = client.do_access_token_request(
        state=state,
        request_args={"code": answer["code"], "redirect_uri": CALLBACK, "code_verifier": verifier},
        authn_method="client_secret_post",
    )
    userinfo = client.do_user_info_request(state=state)
    assert tokens["id_token"]["nonce"] == nonce
    assert userinfo["sub"] == tokens["id_token"]["sub"]
    assert userinfo["email"] == kari.email

    refreshed = client.do_access_token_refresh(state=state, authn_method="client_secret_post")
    assert refreshed["access_token"] != tokens["access_token"]
    newest = refreshed.get("refresh_token", tokens["refresh_token"])
    _pyoidc_revokes(client, provider, newest)
    again = client.do_access_token_refresh(state=state, authn_method="client_secret_post")
    assert again["error"] == "invalid_grant"

    leaving = {"id_token_hint": tokens["id_token_jwt"], "post_logout_redirect_uri": SIGNED_OUT, "state": "leaving"}
    signed_out = kari.signs_out(f"{client.provider_info['end_session_endpoint']}?{urlencode(leaving)}")
    assert signed_out.startswith(SIGNED_OUT)
    assert parameters(signed_out)["state"] == "leaving"


def _pyoidc(provider: Running, registered: dict[str, Any]) -> Client:
    client = Client(
        client_id=registered["client_id"],
        client_authn_method=CLIENT_AUTHN_METHOD,
        config={"code_challenge": {"length": 64, "method": "S256"}},
    )
    client.provider_config(provider.issuer)
    client.store_registration_info(RegistrationResponse(**registered))
    client.redirect_uris = [CALLBACK]
    return client


def _pyoidc_revokes(client: Client, provider: Running, token: str) -> None:
    revoking = RevokingClient(client_id=client.client_id, client_authn_method=CLIENT_AUTHN_METHOD)
    revoking.client_secret = client.client_secret
    setattr(revoking, "revocation_endpoint", client.provider_info["revocation_endpoint"])  # noqa: B010 - not declared
    revoking.redirect_uris = [CALLBACK]
    told = {"token": token, "token_type_hint": "refresh_token"}
    assert revoking.do_token_revocation(request_args=told, authn_method="client_secret_post") == 200


def test_authlib_completes_everything_with_a_key_of_its_own(provider: Running, kari: Browser) -> None:
    """The same with private_key_jwt and an ID token signed with ES256."""
    session, found = _authlib(provider)
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    url, state = session.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    landed = kari.signs_up(url)
    assert parameters(landed)["iss"] == provider.issuer

    tokens = session.fetch_token(
        found["token_endpoint"], authorization_response=landed, state=state, code_verifier=verifier
    )
    claims = _verified(tokens, found, session.client_id, nonce)
    userinfo = session.get(found["userinfo_endpoint"]).json()
    assert userinfo["sub"] == claims["sub"]
    assert userinfo["email"] == kari.email

    refreshed = session.refresh_token(found["token_endpoint"])
    assert refreshed["access_token"] != tokens["access_token"]
    newest = refreshed["refresh_token"]
    assert session.revoke_token(found["revocation_endpoint"], newest, "refresh_token").status_code == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.refresh_token(found["token_endpoint"], newest)

    leaving = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": SIGNED_OUT, "state": "leaving"}
    assert kari.signs_out(f"{found['end_session_endpoint']}?{urlencode(leaving)}").startswith(SIGNED_OUT)


def _authlib(provider: Running) -> tuple[OAuth2Session, OpenIDProviderMetadata]:
    """A session that authenticates with a key that only it has, and what it discovered."""
    key = ECKey.generate_key("P-256", {"kid": "its-own"})
    registered = provider.register(
        **METADATA,
        token_endpoint_auth_method="private_key_jwt",
        id_token_signed_response_alg="ES256",
        jwks={"keys": [key.as_dict(private=False)]},
    )
    found = OpenIDProviderMetadata(
        requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=5).json()
    )
    session = OAuth2Session(
        registered["client_id"],
        key,
        scope=SCOPE,
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint_auth_method=PrivateKeyJWT(found["token_endpoint"], alg="ES256", headers={"kid": "its-own"}),
        revocation_endpoint_auth_method=PrivateKeyJWT(found["token_endpoint"], alg="ES256", headers={"kid": "its-own"}),
    )
    return session, found


def _verified(tokens: dict[str, Any], found: OpenIDProviderMetadata, client_id: str, nonce: str) -> dict[str, Any]:
    """The claims of the ID token, checked as OpenID Connect Core §3.1.3.7 says."""
    published = KeySet.import_key_set(requests.get(found["jwks_uri"], timeout=5).json())
    token = jwt.decode(tokens["id_token"], published, algorithms=["ES256"])
    claims = CodeIDToken(
        token.claims,
        token.header,
        {"iss": {"value": found["issuer"]}, "aud": {"value": client_id}},
        {"client_id": client_id, "nonce": nonce, "access_token": tokens["access_token"]},
    )
    claims.validate()
    return dict(claims)
