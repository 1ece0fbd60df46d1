"""Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4; SR-109)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from idp import clock
from idp.outgoing.guarded import Guarded
from idp.services import clients, subjects
from idp.signing.keyring import Keyring

TYPE = "logout+jwt"
"""A type of its own: nobody takes it for an ID token (§2.4)."""

LIFETIME = 120
"""Seconds; two minutes are the most that §2.4 recommends."""

EVENT = "http://schemas.openid.net/event/backchannel-logout"


class LogoutTokens:
    """Tells a client by a token made at the moment it is sent, since it lives two minutes."""

    def __init__(self, keyring: Keyring, issuer: str, out: Guarded) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._out = out

    def __call__(self, client_id: str, about: Mapping[str, str]) -> int | None:
        """The status of its answer (§2.5). None for a client that is gone, or takes none any more."""
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
        return self._out.post_form(client.backchannel_logout_uri, {"logout_token": token}).status
