"""Proofs of possession as a client makes them (RFC 9449 §4.2), and as one makes them wrongly."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import orjson
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from idp import clock

Key = ECKey | OKPKey | RSAKey


def dpop_proof(
    key: Key, method: str, url: str, *, token: str | None = None, header: dict[str, Any] | None = None, **changes: Any
) -> str:
    """A proof for one request; a change to None leaves a claim or a header member out."""
    claims: dict[str, Any] = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": url,
        "iat": clock.timestamp(),
        "ath": access_token_hash(token) if token else None,
        **changes,
    }
    told: dict[str, Any] = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False), **(header or {})}
    content = b".".join(_encoded(orjson.dumps(_said(members))) for members in (told, claims))
    # Signed by hand: a library would not make the wrong ones.
    signature = JWSRegistry.algorithms[told.get("alg") or "ES256"].sign(content, key)
    return (content + b"." + _encoded(signature)).decode()


def access_token_hash(token: str) -> str:
    """The `ath` of a token."""
    return _encoded(sha256(token.encode()).digest()).decode()


def _said(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _encoded(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")
