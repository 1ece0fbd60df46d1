"""Logout tokens as a client checks them (OpenID Connect Back-Channel Logout 1.0 §2.6; SR-109)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LEEWAY = 60
LONGEST_LIFE = 300
"""Seconds between `iat` and `exp`; the specification recommends two minutes."""

Keys = Callable[[bool], Any]
"""The provider's key set; fetched anew when asked so."""


class Untrusted(Exception):
    """No logout token of our provider for us; the reason is for the log only."""


def check(token: str, *, issuer: str, client_id: str, algorithm: str, keys: Keys) -> dict[str, Any]:
    """The claims of a logout token, all checked but for its being used once. Raises Untrusted."""
    claims = _verified(token, algorithm, keys)
    now = time.time()
    audience = claims.get("aud")
    issued, expires = (_time(claims, name) for name in ("iat", "exp"))
    events = claims.get("events")
    if claims.get("iss") != issuer or client_id not in (audience if isinstance(audience, list) else [audience]):
        raise Untrusted("of another provider, or for somebody else")
    if not issued - LEEWAY <= now < expires + LEEWAY or expires - issued > LONGEST_LIFE:
        raise Untrusted("not of this time")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise Untrusted("of another event")
    if "nonce" in claims:  # §2.4: so that no ID token passes for one
        raise Untrusted("with a nonce")
    if not all(isinstance(claims.get(name, ""), str) for name in ("sid", "sub")) or not claims.get("jti"):
        raise Untrusted("without jti, or with an odd sid or sub")
    if not claims.get("sid") and not claims.get("sub"):
        raise Untrusted("about nobody")
    return claims


def _verified(token: str, algorithm: str, keys: Keys) -> dict[str, Any]:
    for anew in (False, True):  # the provider may have a new key (OIDC Core §10.1.1)
        try:
            decoded = jwt.decode(token, KeySet.import_key_set(keys(anew)), algorithms=[algorithm])
        except (JoseError, ValueError, TypeError, KeyError) as problem:
            reason = type(problem).__name__
            continue
        if str(decoded.header.get("typ", "")).lower().removeprefix("application/") != "logout+jwt":
            raise Untrusted("of another type")
        claims: dict[str, Any] = decoded.claims
        return claims
    raise Untrusted(f"signature: {reason}")


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Untrusted(f"{name} is missing or no time")
    return float(value)
