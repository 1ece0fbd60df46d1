"""Proof of possession (RFC 9449): whether whoever shows an access token holds the key that it is bound to.

Needs nothing but joserfc; copy it into your own API, beside `access_tokens`. Marks of used proofs are kept in
this process; an API of several processes keeps them where all of them look.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from .access_tokens import ALGORITHMS, COMPACT_JWS, LARGEST, InvalidProof, decoded, strict_object

WINDOW = 60
"""Seconds before and after now in which a proof may have been made."""

LONGEST_JTI = 256
KINDS: dict[str, type[ECKey | RSAKey | OKPKey]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
OF_A_KEY = {"EC": ("kty", "crv", "x", "y"), "RSA": ("kty", "n", "e"), "OKP": ("kty", "crv", "x")}
PORTS = {"http": 80, "https": 443}


class UsedProofs:
    """Which proofs were used while they could still count."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._lock = Lock()

    def claim(self, name: str, *, now: float) -> bool:
        """True for the first use only."""
        with self._lock:
            for old in [known for known, until in self._until.items() if until <= now]:
                del self._until[old]
            if name in self._until:
                return False
            self._until[name] = now + 2 * WINDOW + 1
            return True


def thumbprint(proofs: Sequence[str], used: UsedProofs, *, method: str, url: str, token: str) -> str:
    """The thumbprint of the key that made the one proof of this request. Raises InvalidProof (RFC 9449 §4.3)."""
    if len(proofs) != 1 or len(proofs[0]) > LARGEST or not COMPACT_JWS.fullmatch(proofs[0]):
        raise InvalidProof("not exactly one proof")
    header = strict_object(decoded(proofs[0].partition(".")[0]), "header")
    key = _key(header)
    try:
        registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
        claims = strict_object(jws.deserialize_compact(proofs[0], key, registry=registry).payload, "payload")
    except (JoseError, ValueError) as problem:
        raise InvalidProof(f"signature: {problem}") from None
    _check(claims, method, url, token)
    name = sha256(json.dumps([key.thumbprint(), url, claims["jti"]]).encode()).hexdigest()
    if not used.claim(name, now=time.time()):
        raise InvalidProof("used before")
    return key.thumbprint()


def _key(header: Mapping[str, Any]) -> ECKey | RSAKey | OKPKey:
    jwk, algorithm = header.get("jwk"), header.get("alg")
    if header.get("typ") != "dpop+jwt" or algorithm not in ALGORITHMS or "crit" in header:
        raise InvalidProof("typ or alg is not that of a proof")
    if not isinstance(jwk, dict) or jwk.get("kty") not in KINDS or not {"d", "k", "p", "q"}.isdisjoint(jwk):
        raise InvalidProof("jwk is no public key")
    kind = jwk["kty"]
    try:
        return KINDS[kind].import_key({name: jwk[name] for name in OF_A_KEY[kind]})
    except (JoseError, ValueError, TypeError, KeyError) as problem:
        raise InvalidProof(f"jwk: {problem}") from None


def _check(claims: Mapping[str, Any], method: str, url: str, token: str) -> None:
    issued, jti = claims.get("iat"), claims.get("jti")
    if claims.get("htm") != method or _address(claims.get("htu")) != _address(url):
        raise InvalidProof("for another request")
    if isinstance(issued, bool) or not isinstance(issued, int | float) or abs(time.time() - issued) > WINDOW:
        raise InvalidProof("too old, or from the future")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        raise InvalidProof("no jti")
    if claims.get("ath") != urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode():
        raise InvalidProof("for another token")


def _address(uri: Any) -> tuple[str, str, int | None, str] | None:
    """Without query and fragment, as RFC 3986 §6.2.2 and §6.2.3 would write it."""
    try:
        parts = urlsplit(uri)
        return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme), parts.path
    except (ValueError, AttributeError, TypeError):
        return None
