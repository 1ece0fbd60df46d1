"""Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4; SR-109)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from idp import clock
from idp.services import clients, subjects
from idp.signing.keyring import Keyring

TYPE = "logout+jwt"
"""A type of its own: nobody takes it for an ID token (§2.4)."""

LIFETIME = 120
"""Seconds; two minutes are the most that §2.4 recommends."""

EVENT = "http://schemas.openid.net/event/backchannel-logout"


class LogoutTokens:
    """Makes the token for a client at the moment it is sent."""

    def __init__(self, keyring: Keyring, issuer: str) -> None:
        self._keyring = keyring
        self._issuer = issuer

    def __call__(self, client_id: str, about: Mapping[str, str]) -> tuple[str, str] | None:
        """Where it goes, and the token. None for a client that is gone, or takes none any more."""
        client = clients.find(client_id)
        if client is None or client.backchannel_logout_uri is None:
            return None
        now = clock.timestamp()
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "sub": subjects.subject(client, about["sub"]),
            "aud": client.client_id,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": secrets.token_urlsafe(16),
            "sid": about["sid"],
            "events": {EVENT: {}},
        }
        token = self._keyring.sign(claims, algorithm=client.id_token_signed_response_alg, typ=TYPE)
        return client.backchannel_logout_uri, token
