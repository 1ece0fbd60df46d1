"""Clients' public keys: given inline, or lying at an address of theirs (`jwks_uri`; SR-100, SR-112)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

import orjson

from idp.outgoing.guarded import Guarded
from idp.outgoing.known import Unreachable
from idp.rules import fapi2
from idp.rules.client_metadata import Client
from idp.signing import jwe, jws

KEPT_FOR = 3600.0
"""Seconds a fetched set is used before it is fetched again."""

NOT_AGAIN_FOR = 60.0
"""Seconds between two fetches for a key that is not in the set."""

LARGEST_NUMBER = 1000
"""Sets kept in one process."""

Result = TypeVar("Result")


def algorithms(client: Client) -> tuple[str, ...]:
    """What a client's signatures may be made with, as far as it has not settled on one."""
    return fapi2.ALGORITHMS if client.profile else jws.ALGORITHMS


@dataclass(frozen=True, slots=True)
class _Fetched:
    jwks: Mapping[str, Any]
    fetched_at: float
    tried_at: float


class ClientKeys:
    """The keys of every client, in this process. A set that cannot be fetched anew stays as it is."""

    def __init__(self, out: Guarded) -> None:
        self._out = out
        self._fetched: dict[str, _Fetched] = {}
        self._lock = Lock()

    def verify(
        self, client: Client, token: str, *, algorithms: Collection[str], typ: str | tuple[str, ...] | None
    ) -> dict[str, Any]:
        """The claims of a token that the client has signed. Raises `jws.Untrusted`."""
        return self._with_keys(
            client, lambda jwks: jws.verify(token, _for_signatures(jwks), algorithms=algorithms, typ=typ)
        )

    def certificates(self, client: Client) -> frozenset[bytes]:
        """The certificates of its keys (`x5c`, the first of each), as DER (RFC 8705 §2.2.2)."""
        return self._with_keys(client, _certificates)

    def encrypt(self, client: Client, content: str, *, algorithm: str, encryption: str, kind: str) -> str:
        """The content, of media type `kind`, as only the client can read it. Raises `jws.Untrusted` without a key."""
        return self._with_keys(
            client,
            lambda jwks: jwe.encrypted(content, jwks, algorithm=algorithm, encryption=encryption, kind=kind),
        )

    def _with_keys(self, client: Client, use: Callable[[Mapping[str, Any]], Result]) -> Result:
        """Try with what is known, and once more if a key is missing and its set may be fetched again."""
        if client.jwks_uri is None:
            return use(client.jwks or {})
        try:
            return use(self._set(client.jwks_uri, after=KEPT_FOR))
        except jws.NoSuchKey:
            return use(self._set(client.jwks_uri, after=NOT_AGAIN_FOR))

    def _set(self, uri: str, *, after: float) -> Mapping[str, Any]:
        """The set of an address, fetched again if it is older than `after` seconds and was not just tried."""
        now = monotonic()
        with self._lock:
            known = self._fetched.get(uri)
            if known is not None and (now - known.fetched_at < after or now - known.tried_at < NOT_AGAIN_FOR):
                return known.jwks
            if known is None and len(self._fetched) >= LARGEST_NUMBER:
                del self._fetched[next(iter(self._fetched))]
            before = known.jwks if known else {}
            self._fetched[uri] = _Fetched(before, known.fetched_at if known else now - KEPT_FOR, now)
        found = self._read(uri)
        if found is None:
            return before
        with self._lock:
            self._fetched[uri] = _Fetched(found, now, now)
        return found

    def _read(self, uri: str) -> Mapping[str, Any] | None:
        try:
            answer = self._out.get(uri)
            found = answer.json() if answer.status == 200 else None
        except (Unreachable, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) and isinstance(found.get("keys"), list) else None


def _certificates(jwks: Mapping[str, Any]) -> frozenset[bytes]:
    found = set()
    for jwk in jwks.get("keys", ()):
        chain = jwk.get("x5c") if isinstance(jwk, Mapping) else None
        if isinstance(chain, list) and chain and isinstance(chain[0], str):
            with suppress(ValueError):
                found.add(b64decode(chain[0], validate=True))
    return frozenset(found)


def _for_signatures(jwks: Mapping[str, Any]) -> tuple[jws.VerifyingKey, ...]:
    return _parsed(orjson.dumps(jwks))


@lru_cache(maxsize=256)
def _parsed(raw: bytes) -> tuple[jws.VerifyingKey, ...]:
    return jws.usable_keys(orjson.loads(raw))
