"""What eIDs that speak OpenID Connect sign, and the ways to get it wrong that all of them share."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from . import clock
from .people import EidPerson

LIFE = 300

Claims = dict[str, Any]

FAULTS: Mapping[str, str] = {
    "wrong-iss": "the ID token is by another issuer",
    "wrong-aud": "the ID token is for another client",
    "wrong-azp": "the ID token was made for another party",
    "wrong-nonce": "the ID token answers another request",
    "wrong-at-hash": "the ID token belongs to another access token",
    "expired": "the ID token has run out",
    "future-iat": "the ID token is of the future",
    "alg-none": "the ID token is not signed",
    "alg-hs256": "the ID token is signed with the client's secret",
    "unknown-kid": "the ID token is signed with a key that nobody publishes",
    "forged": "the signature is another's",
    "access-denied": "the eID refuses",
    "no-return": "the person is kept on the eID's own page",
    "wrong-state": "the answer carries another state",
    "wrong-iss-parameter": "the answer names another issuer",
    "code-used": "the code was redeemed before",
    "slow": "the token endpoint takes thirty seconds",
    "server-error": "the token endpoint fails",
    "no-json": "the token endpoint answers with a page",
    "key-change": "the keys have changed since the last time",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """One authentication that went well."""

    client_id: str
    nonce: str
    person: EidPerson
    acr: str
    method: str
    scopes: tuple[str, ...]
    number_allowed: bool
    fault: str | None
    code_challenge: str
    redirect_uri: str
    issued_at: float


@dataclass
class Keys:
    """The signing keys: the newest signs."""

    algorithm: str = "ES256"
    signing: list[ECKey | RSAKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.signing = self.signing or [self.new()]

    @cached_property
    def rsa(self) -> RSAKey:
        """A key of another kind, made when somebody wants it: that takes its time."""
        return RSAKey.generate_key(2048, {"kid": "old-rsa"})

    def rotate(self) -> None:
        """A new key signs from now on, and the old one is gone."""
        self.signing = [self.new()]

    def published(self) -> dict[str, Any]:
        """The JWK set."""
        old = [self.rsa.as_dict(private=False)] if "rsa" in self.__dict__ else []
        return {"keys": [*(key.as_dict(private=False) for key in self.signing), *old]}

    def new(self) -> ECKey | RSAKey:
        """A key that signs as these do."""
        kid = secrets.token_hex(8)
        if self.algorithm == "ES256":
            return ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256", "use": "sig"})
        return RSAKey.generate_key(2048, {"kid": kid, "alg": self.algorithm, "use": "sig"})


def sub(person: EidPerson, client_id: str) -> str:
    """What OpenID Connect calls them; nobody promises that it stays."""
    return str(uuid5(NAMESPACE_URL, f"{client_id}/{person.number}"))


def names(person: EidPerson) -> Claims:
    """The claims of the scope `profile`."""
    return {
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "birthdate": person.birthdate.isoformat(),
    }


def about_the_token(proved: Proved, *, issuer: str, access_token: str) -> Claims:
    """The claims that say nothing of the person (OpenID Connect Core §2)."""
    now = int(clock.now().timestamp())
    return {
        "iss": issuer,
        "aud": proved.client_id,
        "azp": proved.client_id,
        "sub": sub(proved.person, proved.client_id),
        "jti": secrets.token_hex(16),
        "iat": now,
        "exp": now + LIFE,
        "nonce": proved.nonce,
        "at_hash": _half(access_token),
    }


def changed(claims: Claims, fault: str | None) -> Claims:
    """The claims, with one of the faults that all share; what is None is left out."""
    found = CHANGES.get(fault or "", dict)(claims)
    return {name: value for name, value in found.items() if value is not None}


def signed(claims: Claims, fault: str | None, keys: Keys, *, secret: str) -> str:
    """The token, signed as the fault wants it."""
    key = keys.signing[0]
    header = {"alg": keys.algorithm, "kid": key.kid}
    if fault == "alg-none":
        return jwt.encode({"alg": "none"}, claims, OctKey.import_key("x" * 32), algorithms=["none"])
    if fault == "alg-hs256":
        shared = OctKey.import_key(secret or "s" * 32)
        return jwt.encode({"alg": "HS256", "kid": key.kid}, claims, shared, algorithms=["HS256"])
    if fault == "alg-rs256":
        return jwt.encode({"alg": "RS256", "kid": keys.rsa.kid}, claims, keys.rsa, algorithms=["RS256"])
    if fault == "unknown-kid":
        header["kid"] = "nobody-s"
    return jwt.encode(header, claims, keys.new() if fault == "forged" else key, algorithms=[keys.algorithm])


def _half(token: str) -> str:
    return urlsafe_b64encode(sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


def _with(**other: Any) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **other}


CHANGES: Mapping[str, Callable[[Claims], Claims]] = {
    "wrong-iss": _with(iss="https://auth.elsewhere.example/auth/realms/current"),
    "wrong-aud": _with(aud="somebody-else"),
    "wrong-azp": _with(azp="somebody-else"),
    "wrong-nonce": _with(nonce="another"),
    "wrong-at-hash": _with(at_hash=_half("another")),
    "expired": lambda claims: {**claims, "iat": claims["iat"] - 600, "exp": claims["exp"] - 600},
    "future-iat": lambda claims: {**claims, "iat": claims["iat"] + 600},
}
"""What each shared fault changes in the claims."""
