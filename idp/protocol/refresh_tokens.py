"""Refresh tokens: the family's id and a secret, so that a spent one still names what it belonged to."""

from __future__ import annotations

import secrets
from hashlib import sha256


def new(grant_id: str) -> tuple[str, bytes]:
    """A token of 256 random bits for this family, and its digest for keeping."""
    token = f"{grant_id}.{secrets.token_urlsafe(32)}"
    return token, digest(token)


def digest(token: str) -> bytes:
    """What a token is known by at rest."""
    return sha256(token.encode()).digest()


def family(token: str) -> str:
    """The id of the family that a token says it belongs to."""
    return token.partition(".")[0]
