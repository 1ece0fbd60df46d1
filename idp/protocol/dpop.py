"""Proof of possession by DPoP (RFC 9449): a token that only whoever holds a key can use (SR-99)."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from flask import Request

from idp import clock
from idp.protocol.errors import InvalidDPoPProof, UseDPoPNonce
from idp.signing import jws
from idp.stores.shortlived import replays
from idp.stores.shortlived.contract import ShortLived

TYPE = "dpop+jwt"
WINDOW = 60
"""Seconds before and after now in which a proof without nonce may have been made."""

NONCE_EVERY = 120
"""Seconds between two nonces; one counts until the next but one comes."""

REMEMBERED = 2 * NONCE_EVERY + WINDOW
"""Seconds for which a used proof is remembered: longer than any proof counts."""

LONGEST_JTI = 256
DEFAULT_PORTS = {"http": 80, "https": 443}


class Proofs:
    """Checks proofs, and makes the nonces that they may have to hold.

    A nonce is made of the time and a key, so every process knows it and nobody stores it.
    """

    def __init__(
        self, store: ShortLived, issuer: str, key: bytes, *, nonce_required: bool, beside: str | None = None
    ) -> None:
        """`beside`: the origin of the endpoints at which certificates are asked for, if it is one of its own."""
        self._store = store
        self._issuer = issuer
        self._beside = (beside or issuer).rstrip("/")
        self._key = key
        self._nonce_required = nonce_required

    def thumbprint(
        self, request: Request, *, algorithms: tuple[str, ...], access_token: str | None = None
    ) -> str | None:
        """The thumbprint of the key that the request's proof was made with; None where it has no proof.

        Raises `InvalidDPoPProof`, and `UseDPoPNonce` for a nonce that is missing or has run out.
        """
        proof = request.headers.get("DPoP")
        if proof is None:
            return None
        try:
            claims, thumbprint = jws.verify_possession(proof, algorithms=algorithms, typ=TYPE)
        except jws.Untrusted as problem:
            raise InvalidDPoPProof(f"the proof is not good: {problem}") from problem
        here = self._beside if request.host == urlsplit(self._beside).netloc else self._issuer
        target = f"{here}{request.path}"
        if claims.get("htm") != request.method or _target(claims.get("htu")) != _target(target):
            raise InvalidDPoPProof("the proof is for another request")
        if access_token is not None and claims.get("ath") != _hash(access_token):
            raise InvalidDPoPProof("the proof is for another token")
        self._check_time(claims)
        self._use_up(claims.get("jti"), thumbprint, target)
        return thumbprint

    def nonce(self, *, ago: int = 0) -> str:
        """The nonce of now, or of `ago` periods before."""
        period = str(clock.timestamp() // NONCE_EVERY - ago)
        return _base64url(hmac.digest(self._key, period.encode(), "sha256")[:16])

    def _check_time(self, claims: dict[str, Any]) -> None:
        """A nonce says by itself when the proof was made, whatever the client's clock shows (RFC 9449 §11.1)."""
        issued, nonce = claims.get("iat"), claims.get("nonce")
        if not isinstance(issued, int | float) or isinstance(issued, bool):
            raise InvalidDPoPProof("the proof has no time")
        if nonce is None:
            if self._nonce_required:
                raise UseDPoPNonce("the proof needs a nonce")
            if abs(clock.timestamp() - issued) > WINDOW:
                raise InvalidDPoPProof("the proof is too old, or from the future")
        elif nonce not in (self.nonce(), self.nonce(ago=1)):
            raise UseDPoPNonce("the nonce is not one that counts")

    def _use_up(self, jti: Any, thumbprint: str, target: str) -> None:
        if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
            raise InvalidDPoPProof("the proof has no jti")
        if not replays.claim(self._store, f"dpop:{thumbprint}:{target}:{jti}", ttl=REMEMBERED):
            raise InvalidDPoPProof("the proof was used before")


def _hash(token: str) -> str:
    """`ath` (RFC 9449 §4.2)."""
    return _base64url(sha256(token.encode()).digest())


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _target(uri: Any) -> tuple[str, str, int | None, str] | None:
    """A URI as RFC 3986 §6.2.2 and §6.2.3 make it one, without query and fragment (RFC 9449 §4.3)."""
    try:
        parts = urlsplit(uri)
        return parts.scheme.lower(), parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme), parts.path
    except (ValueError, AttributeError, TypeError):
        return None
