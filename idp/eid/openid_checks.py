"""What must be true of an ID token and of UserInfo: ordered tables of named checks (SR-102).

OpenID Connect Core 1.0 §3.1.3.7, §3.1.3.8, §5.3.2 and §5.3.4. The signature is checked before any of them.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from math import isfinite
from typing import Any

SKEW = 60.0
"""Seconds that the provider's clock may differ from ours."""

LONGEST_SUBJECT = 255
"""Characters of `sub` (Core §2)."""

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the token has to agree with. Times are seconds since the epoch."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    access_token: str = field(repr=False)
    started_at: float
    now: float


Check = Callable[[Claims, Wanted], bool]


def seconds(value: object) -> float | None:
    """A NumericDate (RFC 7519 §2), or None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e12 or not isfinite(value):
        return None
    return float(value)


def _audiences(claims: Claims) -> list[object]:
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def _authorized(claims: Claims, wanted: Wanted) -> bool:
    if "azp" in claims or len(_audiences(claims)) > 1:
        return bool(claims.get("azp") == wanted.client_id)
    return True


def _not_over(claims: Claims, wanted: Wanted) -> bool:
    expires = seconds(claims.get("exp"))
    return expires is not None and wanted.now - SKEW < expires


def _not_before_its_time(claims: Claims, wanted: Wanted) -> bool:
    if "nbf" not in claims:
        return True
    begins = seconds(claims["nbf"])
    return begins is not None and begins <= wanted.now + SKEW


def is_fresh(moment: float | None, wanted: Wanted) -> bool:
    """Whether it happened since we asked, and not in the future."""
    return moment is not None and wanted.started_at - SKEW <= moment <= wanted.now + SKEW


def _same_access_token(claims: Claims, wanted: Wanted) -> bool:
    if "at_hash" not in claims:
        return True
    # All algorithms that may be allowed hash with SHA-256; half of it is the claim: Core §3.1.3.6.
    half = urlsafe_b64encode(sha256(wanted.access_token.encode()).digest()[:16]).rstrip(b"=")
    return _equal(claims["at_hash"], half.decode())


def _equal(said: object, wanted: str) -> bool:
    return isinstance(said, str) and compare_digest(said.encode("utf-8", "replace"), wanted.encode())


# In this order; the first that fails is the reason that is logged.
ID_TOKEN: tuple[tuple[str, Check], ...] = (
    ("iss", lambda claims, wanted: claims.get("iss") == wanted.issuer),
    ("aud", lambda claims, wanted: wanted.client_id in _audiences(claims)),
    ("azp", _authorized),
    ("sub", lambda claims, _: isinstance(claims.get("sub"), str) and 0 < len(claims["sub"]) <= LONGEST_SUBJECT),
    ("exp", _not_over),
    ("nbf", _not_before_its_time),
    ("iat", lambda claims, wanted: is_fresh(seconds(claims.get("iat")), wanted)),
    ("auth_time", lambda claims, wanted: "auth_time" not in claims or is_fresh(seconds(claims["auth_time"]), wanted)),
    ("nonce", lambda claims, wanted: _equal(claims.get("nonce"), wanted.nonce)),
    ("at_hash", _same_access_token),
)

USERINFO: tuple[tuple[str, Check], ...] = (
    ("iss", lambda claims, wanted: claims.get("iss", wanted.issuer) == wanted.issuer),
    ("aud", lambda claims, wanted: "aud" not in claims or wanted.client_id in _audiences(claims)),
    ("exp", lambda claims, wanted: "exp" not in claims or _not_over(claims, wanted)),
)
"""Beside `sub`, which must be that of the ID token: §5.3.2."""


def first_failure(checks: tuple[tuple[str, Check], ...], claims: Claims, wanted: Wanted) -> str | None:
    """The name of the first check that does not hold; None when all do."""
    return next((name for name, holds in checks if not holds(claims, wanted)), None)
