"""A strict client library in Python: requests-oauth2client by the FAPI 2.0 profile."""

from __future__ import annotations

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from requests_oauth2client import (
    DPoPToken,
    InvalidGrant,
    OAuth2Client,
    PrivateKeyJwt,
    RequestUriParameterAuthorizationRequest,
)

from tests.clients.running import Browser, Running

CALLBACK = "https://client.example/callback"
SCOPE = "openid profile email offline_access"


def _library(provider: Running) -> OAuth2Client:
    """The library, registered by the profile with a key of its own."""
    key = ECKey.generate_key("P-256", {"kid": "its-own", "alg": "ES256"})
    registered = provider.register(
        client_name="A strict library",
        redirect_uris=[CALLBACK],
        grant_types=["authorization_code", "refresh_token"],
        scope=SCOPE,
        profile="fapi2",
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.as_dict(private=False)]},
    )
    found = requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=5).json()
    return OAuth2Client(
        auth=PrivateKeyJwt(registered["client_id"], key.as_dict(private=True), alg="ES256", aud=provider.issuer),
        redirect_uri=CALLBACK,
        id_token_signed_response_alg="ES256",
        dpop_bound_access_tokens=True,
        testing=True,  # loopback has no TLS
        **{name: found[name] for name in found if name.endswith("_endpoint") and name != "end_session_endpoint"},
        issuer=provider.issuer,
        jwks_uri=found["jwks_uri"],
        authorization_server_jwks=requests.get(found["jwks_uri"], timeout=5).json(),
        authorization_response_iss_parameter_supported=True,
    )


def test_requests_oauth2client_completes_the_profile(provider: Running, kari: Browser) -> None:
    """Pushed request, private_key_jwt, tokens bound by DPoP, refresh without rotation, revocation."""
    client = _library(provider)
    request = client.authorization_request(scope=SCOPE)
    pushed = client.pushed_authorization_request(request)
    assert isinstance(pushed, RequestUriParameterAuthorizationRequest)
    answer = request.validate_callback(kari.signs_up(str(pushed)))

    tokens = client.authorization_code(answer, validate=False)  # its own check loses the DPoP key of the token
    assert isinstance(tokens, DPoPToken)
    keys = KeySet.import_key_set(requests.get(str(client.jwks_uri), timeout=5).json())
    claims = jwt.decode(str(tokens.id_token), keys, algorithms=["ES256"]).claims
    assert claims["nonce"] == request.nonce
    userinfo = client.userinfo(tokens)
    assert userinfo["sub"] == claims["sub"]
    assert userinfo["email"] == kari.email

    refreshed = client.refresh_token(tokens)
    assert isinstance(refreshed, DPoPToken)
    assert refreshed.refresh_token == tokens.refresh_token
    assert client.revoke_refresh_token(refreshed)
    with pytest.raises(InvalidGrant):
        client.refresh_token(refreshed)
