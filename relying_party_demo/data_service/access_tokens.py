"""May this request come in? Access tokens after RFC 9068. What they must prove is in `step_up`.

Needs nothing but joserfc; copy it into your own API. Give it the `Authorization` headers as they
came and a way to find the provider's keys; get an `AccessToken`, or one of:

Refused                  status  error
├─ NoToken               401     (none: RFC 6750 §3.1)
├─ InvalidRequest        400     invalid_request
├─ InvalidToken          401     invalid_token; `reason` is for your log only
├─ InvalidProof          401     invalid_dpop_proof (RFC 9449 §7.1); see `possession`
└─ InsufficientScope     403     insufficient_scope
"""

from __future__ import annotations

import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

ALGORITHMS = ("ES256", "PS256", "RS256", "EdDSA", "Ed25519")
LARGEST = 16 * 1024
DANGEROUS_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip"})
TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

FindKey = Callable[[str], Key | None]
Ask = Callable[[str], Mapping[str, Any] | None]


class Refused(Exception):
    """The request does not come in."""

    status = 401
    error = ""

    def __init__(self, reason: str = "", **parameters: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.parameters = {"error": self.error, **parameters} if self.error else parameters

    def challenge(self, *, dpop: bool = False) -> str:
        """The value of WWW-Authenticate (RFC 6750 §3), for the way in which the token was shown (RFC 9449 §7.1)."""
        shown = {**self.parameters, "algs": " ".join(ALGORITHMS)} if dpop else self.parameters
        told = ", ".join(f'{name}="{value}"' for name, value in shown.items())
        return f"{'DPoP' if dpop else 'Bearer'} {told}".strip()


class NoToken(Refused):
    """Nothing was presented."""


class InvalidRequest(Refused):
    """Presented in a forbidden place, or more than once."""

    status, error = 400, "invalid_request"


class InvalidToken(Refused):
    """Malformed, expired, for someone else, badly signed: the caller is never told which."""

    error = "invalid_token"


class InvalidProof(Refused):
    """Nothing shows that the caller holds the key that the token is bound to."""

    error = "invalid_dpop_proof"


class InsufficientScope(Refused):
    """A good token that was not granted for this."""

    status, error = 403, "insufficient_scope"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a checked token says. Issuer and subject together are the person (SR-95)."""

    issuer: str
    subject: str
    client_id: str
    scopes: frozenset[str]
    acr: str
    amr: tuple[str, ...]
    auth_time: int
    expires_at: int
    details: tuple[Any, ...] | None = None
    """Exactly what it is for (RFC 9396); None where nothing but its scope says so."""

    def require_scope(self, scope: str) -> None:
        """Raise InsufficientScope unless the token was granted it."""
        if scope not in self.scopes:
            raise InsufficientScope(f"scope {scope} is missing", scope=scope)

    def authentication(self) -> dict[str, Any]:
        """How strongly, and when, the person signed in: what step-up looks at (RFC 9470 §6.1)."""
        return {"acr": self.acr, "auth_time": self.auth_time}


@dataclass(frozen=True, slots=True)
class Presented:
    """A token as it was sent; `dpop`: with a proof of possession, which is for `possession` to check."""

    token: str = field(repr=False)
    dpop: bool


def presented(authorization: Sequence[str], elsewhere: Collection[str] = ()) -> Presented:
    """The one token of a request. `elsewhere`: names of its query and form parameters (SR-95)."""
    if "access_token" in elsewhere:
        raise InvalidRequest("token outside the Authorization header")
    if not authorization:
        raise NoToken
    scheme, _, token = authorization[0].strip().partition(" ")
    if scheme.lower() not in ("bearer", "dpop"):
        raise NoToken
    if len(authorization) > 1 or not TOKEN68.fullmatch(token := token.strip()):
        raise InvalidRequest("not exactly one token")
    return Presented(token, scheme.lower() == "dpop")


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of one resource server. `leeway` is in seconds, 60 at most (SR-94)."""

    issuer: str
    audience: str
    find_key: FindKey
    leeway: int = 30
    ask: Ask | None = None
    """Asks the provider about each token, besides; without it, signed tokens are good until they expire."""

    def check(self, token: str, *, shown: str | None = None) -> AccessToken:
        """Every check of SR-92 to SR-95, cheap ones first. Raises InvalidToken.

        `shown` is the thumbprint of the key that the request has proved to hold: the token must be bound to that
        very key, and to none where nothing was shown (RFC 9449 §7.1, §7.2).
        """
        if len(token) > LARGEST:
            raise InvalidToken("too long")
        claims = self._claims(token)
        if claims.get("cnf") != ({"jkt": shown} if shown else None):
            raise InvalidToken("bound to a key that was not shown, or not bound to the one that was")
        return self._person(claims)

    def _claims(self, token: str) -> Mapping[str, Any]:
        if not COMPACT_JWS.fullmatch(token):
            return self._still_good(token)
        header = strict_object(decoded(token.partition(".")[0]), "header")
        claims = strict_object(self._verified(token, header), "payload")
        if self.ask is not None:
            self._still_good(token)
        return claims

    def _still_good(self, token: str) -> Mapping[str, Any]:
        told = self.ask(token) if self.ask is not None else None
        if told is None:
            raise InvalidToken("no compact JWS, or good no more")
        return told

    def _verified(self, token: str, header: Mapping[str, Any]) -> bytes:
        if found := DANGEROUS_HEADERS & header.keys():
            raise InvalidToken(f"header has {', '.join(sorted(found))}")
        if str(header.get("typ")).lower().removeprefix("application/") != "at+jwt":  # RFC 9068 §4
            raise InvalidToken("typ is not at+jwt")
        kid, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(kid, str) or algorithm not in ALGORITHMS:
            raise InvalidToken("kid or alg is not ours")
        key = self.find_key(kid)
        if key is None or key.get("alg", algorithm) != algorithm:
            raise InvalidToken("no such key for this algorithm")
        try:
            return jws.deserialize_compact(token, key, algorithms=[algorithm]).payload
        except (JoseError, ValueError) as problem:
            raise InvalidToken(f"signature: {problem}") from None

    def _person(self, claims: Mapping[str, Any]) -> AccessToken:
        now = time.time()
        audiences = claims.get("aud")
        if claims.get("iss") != self.issuer:
            raise InvalidToken("iss is another")
        if self.audience not in (audiences if isinstance(audiences, list) else [audiences]):
            raise InvalidToken("aud is another")
        if _seconds(claims, "exp") <= now - self.leeway or _seconds(claims, "iat") > now + self.leeway:
            raise InvalidToken("expired, or from the future")
        if "nbf" in claims and _seconds(claims, "nbf") > now + self.leeway:
            raise InvalidToken("not valid yet")
        subject, client_id = _text(claims, "sub"), _text(claims, "client_id")
        _text(claims, "jti")
        if subject == client_id:  # RFC 9068 §5: a machine's token cannot pass for a person
            raise InvalidToken("no person behind this token")
        return AccessToken(
            issuer=self.issuer,
            subject=subject,
            client_id=client_id,
            scopes=frozenset(_text(claims, "scope").split()) if "scope" in claims else frozenset(),
            acr=_text(claims, "acr"),
            amr=tuple(method for method in claims.get("amr") or () if isinstance(method, str)),
            auth_time=_seconds(claims, "auth_time"),
            expires_at=_seconds(claims, "exp"),
            details=_details(claims),
        )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidToken(f"{name} is missing or no text")
    return value


def _details(claims: Mapping[str, Any]) -> tuple[Any, ...] | None:
    found = claims.get("authorization_details")
    if "authorization_details" in claims and not isinstance(found, list):  # never a token without a limit
        raise InvalidToken("authorization_details is no list")
    return None if found is None else tuple(found)


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):  # a missing time is a failure, not a skip
        raise InvalidToken(f"{name} is missing or no time")
    return int(value)


def decoded(part: str) -> bytes:
    """Base64url as bytes. Raises InvalidToken."""
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise InvalidToken("not base64url") from None


def strict_object(encoded: bytes, what: str) -> dict[str, Any]:
    """A JSON object without duplicate names: parsers differ on which of two they take (SR-92)."""

    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise InvalidToken(f"{what} has a name twice")
        return dict(pairs)

    try:
        value = json.loads(encoded, object_pairs_hook=no_duplicates)
    except (ValueError, RecursionError):
        raise InvalidToken(f"{what} is no JSON") from None
    if not isinstance(value, dict):
        raise InvalidToken(f"{what} is no object")
    return value
