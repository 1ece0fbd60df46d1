"""What the Norwegian BankID simulator signs: ID tokens of API version 4, UserInfo, and every way to get them wrong."""

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
from .people import PEOPLE, EidPerson

LIFE = 300
HIGH, SUBSTANTIAL = "urn:bankid:bid;LOA=4", "urn:bankid:bis;LOA=3"
METHODS = {
    "app": (HIGH, ["bid", "bid-mfa", "bid-app", "bid-pwd"]),
    "code-device": (HIGH, ["bid", "bid-mfa", "bid-otp", "bid-pwd"]),
    "biometrics": (SUBSTANTIAL, ["bis-mfa", "bis-bid"]),
}
"""How people prove themselves, with the level and the methods that are told of it."""

FAULTS: Mapping[str, str] = {
    "wrong-iss": "the ID token is by another issuer",
    "wrong-aud": "the ID token is for another client",
    "wrong-azp": "the ID token was made for another party",
    "wrong-nonce": "the ID token answers another request",
    "wrong-at-hash": "the ID token belongs to another access token",
    "expired": "the ID token has run out",
    "future-iat": "the ID token is of the future",
    "old-iat": "the person proved themselves an hour ago: single sign-on",
    "alg-none": "the ID token is not signed",
    "alg-hs256": "the ID token is signed with the client's secret",
    "alg-rs256": "the ID token is signed with RSA, as before version 4",
    "unknown-kid": "the ID token is signed with a key that nobody publishes",
    "forged": "the signature is another's",
    "lower-acr": "the level is lower than the one asked for",
    "unknown-acr": "the level is none that is known",
    "no-acr": "no level is told",
    "no-number": "the national number is missing",
    "wrong-number": "the national number has a wrong check digit",
    "other-birthdate": "the birth date is not that of the number",
    "other-person": "somebody else proved themselves than the one asked for",
    "access-denied": "the bank refuses",
    "no-return": "the bank keeps the person on its own page",
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
    method: str
    number_allowed: bool
    fault: str | None
    code_challenge: str
    redirect_uri: str
    issued_at: float


@dataclass
class Keys:
    """The signing keys: the newest signs, those before it stay published."""

    signing: list[ECKey] = field(default_factory=lambda: [_new_key()])

    @cached_property
    def rsa(self) -> RSAKey:
        """The key of versions before 4, made when somebody wants it: that takes its time."""
        return RSAKey.generate_key(2048, {"kid": "old-rsa"})

    def rotate(self) -> None:
        """A new key signs from now on, and the old one is gone."""
        self.signing = [_new_key()]

    def published(self) -> dict[str, Any]:
        """The JWK set."""
        old = [self.rsa.as_dict(private=False)] if "rsa" in self.__dict__ else []
        return {"keys": [*(key.as_dict(private=False) for key in self.signing), *old]}


def _new_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": secrets.token_hex(8), "alg": "ES256", "use": "sig"})


def reference(person: EidPerson) -> str:
    """The bank's own id of a person, which stays."""
    digits = int.from_bytes(sha256(person.number.encode()).digest()[:4], "big")
    return f"9578-5999-4-{digits % 10**7:07d}"


def sub(person: EidPerson, client_id: str) -> str:
    """What OpenID Connect calls them; nobody promises that it stays."""
    return str(uuid5(NAMESPACE_URL, f"{client_id}/{person.number}"))


def id_token(proved: Proved, *, issuer: str, access_token: str, keys: Keys, secret: str) -> str:
    """The ID token, with the fault that was asked for."""
    claims = _claims(proved, issuer, access_token)
    change = CHANGES.get(proved.fault or "")
    if change is not None:
        claims = change(claims, proved)
    claims = {name: value for name, value in claims.items() if value is not None}
    return _signed(claims, proved.fault, keys, secret)


def userinfo(person: EidPerson, *, issuer: str, client_id: str, keys: Keys) -> str:
    """UserInfo, as a signed token."""
    claims = {"iss": issuer, "aud": client_id, "sub": sub(person, client_id), **_names(person)}
    return jwt.encode({"alg": "ES256", "kid": keys.signing[0].kid}, claims, keys.signing[0])


def _names(person: EidPerson) -> dict[str, Any]:
    return {
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "birthdate": person.birthdate.isoformat(),
    }


def _claims(proved: Proved, issuer: str, access_token: str) -> dict[str, Any]:
    acr, amr = METHODS[proved.method]
    now, person = int(clock.now().timestamp()), proved.person
    return {
        "iss": issuer,
        "aud": proved.client_id,
        "azp": proved.client_id,
        "typ": "ID",
        "sub": sub(person, proved.client_id),
        "sid": secrets.token_hex(8),
        "jti": secrets.token_hex(16),
        "iat": now,
        "exp": now + LIFE,
        "nonce": proved.nonce,
        "at_hash": _half(access_token),
        "acr": acr,
        "amr": amr,
        **_names(person),
        "bankid_altsub": reference(person),
        "nnin_altsub": person.number if proved.number_allowed else None,
        "updated_at": now - 86400,
    }


def _half(token: str) -> str:
    return urlsafe_b64encode(sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


def _signed(claims: dict[str, Any], fault: str | None, keys: Keys, secret: str) -> str:
    key = keys.signing[0]
    header = {"alg": "ES256", "kid": key.kid}
    if fault == "alg-none":
        return jwt.encode({"alg": "none"}, claims, OctKey.import_key("x" * 32), algorithms=["none"])
    if fault == "alg-hs256":
        return jwt.encode({"alg": "HS256", "kid": key.kid}, claims, OctKey.import_key(secret), algorithms=["HS256"])
    if fault == "alg-rs256":
        return jwt.encode({"alg": "RS256", "kid": keys.rsa.kid}, claims, keys.rsa, algorithms=["RS256"])
    if fault == "unknown-kid":
        header["kid"] = "nobody-s"
    return jwt.encode(header, claims, _new_key() if fault == "forged" else key, algorithms=["ES256"])


def _another(person: EidPerson) -> EidPerson:
    return next(other for other in PEOPLE if other.country == "NO" and other.number != person.number)


def _with(**changed: Any) -> Callable[[dict[str, Any], Proved], dict[str, Any]]:
    return lambda claims, _: {**claims, **changed}


def _later(name: str, seconds: int) -> Callable[[dict[str, Any], Proved], dict[str, Any]]:
    return lambda claims, _: {**claims, name: claims[name] + seconds}


def _someone_else(claims: dict[str, Any], proved: Proved) -> dict[str, Any]:
    other = _another(proved.person)
    who = {"sub": sub(other, proved.client_id), "bankid_altsub": reference(other), "nnin_altsub": other.number}
    return {**claims, **_names(other), **who}


CHANGES: Mapping[str, Callable[[dict[str, Any], Proved], dict[str, Any]]] = {
    "wrong-iss": _with(iss="https://auth.elsewhere.example/auth/realms/current"),
    "wrong-aud": _with(aud="somebody-else"),
    "wrong-azp": _with(azp="somebody-else"),
    "wrong-nonce": _with(nonce="another"),
    "wrong-at-hash": _with(at_hash=_half("another")),
    "expired": lambda claims, _: {**claims, "iat": claims["iat"] - 600, "exp": claims["exp"] - 600},
    "future-iat": _later("iat", 600),
    "old-iat": _later("iat", -3600),
    "lower-acr": _with(acr=SUBSTANTIAL),
    "unknown-acr": _with(acr="urn:bankid:bid;LOA=40"),
    "no-acr": _with(acr=None),
    "no-number": _with(nnin_altsub=None),
    "wrong-number": lambda claims, _: {**claims, "nnin_altsub": claims["nnin_altsub"][:-1] + "x"},
    "other-birthdate": _with(birthdate="1901-01-01"),
    "other-person": _someone_else,
}
"""What each fault changes in the claims."""
