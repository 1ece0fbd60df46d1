"""What an OpenID provider publishes about itself: its addresses and its keys, read when first needed, kept for a while.

OpenID Connect Discovery 1.0 §4; RFC 7517 §5 for keys that mean nothing to us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from idp.eid.openid_client import address
from idp.outgoing.known import Caller, Unreachable
from idp.signing import jws

KEPT = 3600.0
"""Seconds until addresses and keys are read again (SR-100)."""

PAUSE = 60.0
"""Seconds between two reads that an unknown key or a failure asks for (SR-100)."""

_LARGEST_SET = 50
"""Keys of a set that are looked at."""


class Unusable(Exception):
    """What the provider published cannot be used. The message names the member, never a value."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The addresses and promises that we use."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    pushed_endpoint: str | None
    wants_pushed: bool
    """RFC 9126 §5: it takes no other requests."""
    names_itself: bool
    """RFC 9207 §3: every answer of its has `iss`."""


class Discovery:
    """One provider's metadata and keys. Whatever was read last stays in use while the provider cannot be reached.

    Each call is told the time and raises `Unreachable` or `Unusable` when there is nothing to use. Nobody waits for
    another one's call: two that are due at once both read, and the last one counts.
    """

    def __init__(self, caller: Caller, issuer: str, *, loopback: bool) -> None:
        self._caller = caller
        self._issuer = issuer
        self._loopback = loopback
        self._lock = Lock()
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, tuple[jws.VerifyingKey, ...]] | None = None
        self._asked_anew: datetime | None = None

    def metadata(self, now: datetime) -> Metadata:
        """Where everything is."""
        return self._known(now)

    def keys(self, now: datetime) -> tuple[jws.VerifyingKey, ...]:
        """The keys the provider signs with."""
        known = self._keys
        if known is None or not _within(known[0], now, KEPT):
            known = self._keys = self._read_keys(now)
        return known[1]

    def newer_keys(self, now: datetime) -> tuple[jws.VerifyingKey, ...] | None:
        """The keys, read again because a token did not fit; None when that was tried a moment ago."""
        with self._lock:
            if self._asked_anew is not None and _within(self._asked_anew, now, PAUSE):
                return None
            self._asked_anew = now
        known = self._keys = self._read_keys(now)
        return known[1]

    def _known(self, now: datetime) -> Metadata:
        known = self._metadata
        if known is None or not _within(known[0], now, KEPT):
            try:
                read = now, self._read()
            except (Unreachable, Unusable):
                if known is None:
                    raise
                read = _soon_again(now), known[1]
            known = self._metadata = read
        return known[1]

    def _read(self) -> Metadata:
        said = self._json(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if said.get("issuer") != self._issuer:  # byte for byte: Discovery §4.3
            raise Unusable("issuer")
        return Metadata(
            authorization_endpoint=self._address(said, "authorization_endpoint"),
            token_endpoint=self._address(said, "token_endpoint"),
            jwks_uri=self._address(said, "jwks_uri"),
            userinfo_endpoint=self._optional(said, "userinfo_endpoint"),
            pushed_endpoint=self._optional(said, "pushed_authorization_request_endpoint"),
            wants_pushed=said.get("require_pushed_authorization_requests") is True,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )

    def _read_keys(self, now: datetime) -> tuple[datetime, tuple[jws.VerifyingKey, ...]]:
        try:
            keys = _usable(self._json(self._known(now).jwks_uri).get("keys"))
        except (Unreachable, Unusable):
            if self._keys is None:
                raise
            return _soon_again(now), self._keys[1]
        return now, keys

    def _json(self, url: str) -> Mapping[str, Any]:
        answer = self._caller.get(url, headers={"Accept": "application/json"})
        if answer.status != 200:
            raise Unreachable(f"it said {answer.status}")
        try:
            said = answer.json()
        except (ValueError, RecursionError):
            raise Unusable("not JSON") from None
        if not isinstance(said, Mapping):
            raise Unusable("not an object")
        return said

    def _optional(self, said: Mapping[str, Any], name: str) -> str | None:
        return None if said.get(name) is None else self._address(said, name)

    def _address(self, said: Mapping[str, Any], name: str) -> str:
        try:
            return address(said.get(name), name=name, loopback=self._loopback)
        except ValueError:
            raise Unusable(name) from None


def _soon_again(now: datetime) -> datetime:
    """A time of reading that makes the next try due after the pause."""
    return now - timedelta(seconds=KEPT - PAUSE)


def _within(then: datetime, now: datetime, seconds: float) -> bool:
    return 0 <= (now - then).total_seconds() < seconds


def _usable(listed: object) -> tuple[jws.VerifyingKey, ...]:
    if not isinstance(listed, list):
        raise Unusable("jwks_uri: keys")
    found: list[jws.VerifyingKey] = []
    for jwk in listed[:_LARGEST_SET]:
        try:
            found += jws.public_keys({"keys": [jwk]})
        except ValueError:
            continue  # a key for encryption, or of a kind we do not use: RFC 7517 §5 says to pass it by
    if not found:
        raise Unusable("jwks_uri: no key for signatures")
    return tuple(found)
