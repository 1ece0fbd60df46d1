"""Authorization codes, under their digest. What makes one count once is the grant's row, not this."""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256

import msgspec
from msgspec import Struct

from idp.rules.assurance import Assurance
from idp.rules.authorization_details import Details
from idp.stores.shortlived.contract import ShortLived


class AuthorizationCode(Struct, frozen=True, kw_only=True):
    """All that a code is bound to, and the session's assurance when it was issued (SR-79)."""

    client_id: str
    redirect_uri: str
    code_challenge: str | None
    nonce: str | None
    scope: str
    resources: tuple[str, ...]
    details: Details = ()
    claims: str
    account_id: str
    sid: str
    assurance: Assurance
    session_ends_at: datetime
    expires_at: datetime
    dpop_jkt: str | None = None


_decode = msgspec.msgpack.Decoder(AuthorizationCode).decode
_encode = msgspec.msgpack.Encoder().encode


def digest(code: str) -> bytes:
    """What a code is known by at rest."""
    return sha256(code.encode()).digest()


def issue(store: ShortLived, bound: AuthorizationCode, *, lifetime: int) -> str:
    """A new code of 256 random bits that lives `lifetime` seconds."""
    code = secrets.token_urlsafe(32)
    store.put(f"code:{digest(code).hex()}", _encode(bound), ttl=lifetime)
    return code


def take(store: ShortLived, code: str) -> AuthorizationCode | None:
    """What the code is bound to, to exactly one caller."""
    found = store.take(f"code:{digest(code).hex()}")
    return _decode(found) if found else None
