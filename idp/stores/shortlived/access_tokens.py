"""Opaque access tokens, under their digest: for our own userinfo, and for APIs that want them so."""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from idp.stores.shortlived.contract import ShortLived


class AccessToken(Struct, frozen=True, kw_only=True):
    """What an opaque token stands for; the grant's row decides whether it still does."""

    reference: str
    client_id: str
    scope: str
    issued_at: datetime
    expires_at: datetime
    confirmation: dict[str, str] | None = None
    """`cnf`: the key that whoever uses it must show to hold."""
    claims: dict[str, Any] | None = None
    """What a signed token would say; of one for an API, which then says it all."""

    @classmethod
    def of_claims(cls, claims: dict[str, Any], *, issued_at: datetime, expires_at: datetime) -> AccessToken:
        """A token for an API."""
        return cls(
            reference="",
            client_id=claims["client_id"],
            scope=claims["scope"],
            issued_at=issued_at,
            expires_at=expires_at,
            claims=claims,
        )


_decode = msgspec.msgpack.Decoder(AccessToken).decode
_encode = msgspec.msgpack.Encoder().encode


def digest(token: str) -> bytes:
    """What a token is known by at rest."""
    return sha256(token.encode()).digest()


def issue(store: ShortLived, token: AccessToken, *, lifetime: int) -> str:
    """A new token of 256 random bits that lives `lifetime` seconds."""
    text = secrets.token_urlsafe(32)
    store.put(f"access:{digest(text).hex()}", _encode(token), ttl=lifetime)
    return text


def find(store: ShortLived, token: str) -> AccessToken | None:
    """What the token stands for, or None."""
    found = store.get(f"access:{digest(token).hex()}")
    return _decode(found) if found else None
