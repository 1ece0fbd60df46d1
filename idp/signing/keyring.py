"""The ring of our keys in this process: parsed once, swapped as a whole when the stored keys change."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp import clock
from idp.signing import jws
from idp.stores import Unavailable
from idp.stores.durable import keys

CHECK_EVERY = 5.0
"""Seconds a process may go on with a set of keys that another process has changed."""


class NoSigningKey(LookupError):
    """No active key for this algorithm."""


@dataclass(frozen=True, slots=True)
class Published:
    """The JWK set as it goes out, and its ETag (with the quotes)."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Signer:
    kid: str
    key: jws.Key = field(repr=False)
    headers: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Ring:
    version: int
    good_until: datetime | None
    signers: Mapping[str, _Signer]
    verifiers: tuple[jws.VerifyingKey, ...]
    published: Published


class Keyring:
    """Our keys. Signing and publishing go on from memory while the database is away (section Q)."""

    def __init__(self, *, check_every: float = CHECK_EVERY) -> None:
        self._check_every = check_every
        self._ring: _Ring | None = None
        self._checked_at = 0.0
        self._lock = Lock()

    def sign(self, claims: Mapping[str, Any], *, algorithm: str, typ: str) -> str:
        """A compact JWS of the claims, of the type `typ`. Raises `NoSigningKey`, `Unavailable`.

        `algorithm` is one that `algorithms()` names; `EdDSA` and `Ed25519` are one key under two names.
        """
        signer = self._present().signers.get(_stored_name(algorithm))
        if signer is None:
            raise NoSigningKey(algorithm)
        header = signer.headers.get((algorithm, typ))
        if header is None:
            header = jws.header(algorithm=algorithm, kid=signer.kid, typ=typ)
            signer.headers[(algorithm, typ)] = header
        return jws.signed(header, claims, key=signer.key, algorithm=algorithm)

    def verify_own(self, token: str, *, typ: str) -> dict[str, Any]:
        """The claims of a token we signed, of this type. Times are the caller's to check. Raises `jws.Untrusted`."""
        return jws.verify(token, self._present().verifiers, algorithms=jws.ALGORITHMS, typ=typ)

    def jwks(self) -> bytes:
        """The JWK set as JSON: every key that something valid may be signed with, now or soon."""
        return self._present().published.body

    def published(self) -> Published:
        """The JWK set with its ETag."""
        return self._present().published

    def algorithms(self) -> tuple[str, ...]:
        """The algorithms we can sign with now, by every name they go by; the preferred one first."""
        signers = self._present().signers
        return tuple(name for name in jws.ALGORITHMS if _stored_name(name) in signers)

    def _present(self) -> _Ring:
        ring = self._ring
        if ring is not None and monotonic() - self._checked_at < self._check_every:
            return ring
        if ring is None:
            with self._lock:  # the first callers wait; later ones sign on while one of them looks
                return self._ring or self._refreshed(None)
        if self._lock.acquire(blocking=False):
            try:
                return self._refreshed(ring)
            except Unavailable:
                self._checked_at = monotonic()  # do not let every request wait for a database that is away
                return ring
            finally:
                self._lock.release()
        return ring

    def _refreshed(self, ring: _Ring | None) -> _Ring:
        version = keys.version()
        now = clock.now()
        if ring is None or ring.version != version or (ring.good_until is not None and ring.good_until <= now):
            ring = _load(version, now)
        self._ring = ring
        self._checked_at = monotonic()
        return ring


def _stored_name(algorithm: str) -> str:
    return "EdDSA" if algorithm in jws.ED25519 else algorithm


def _load(version: int, now: datetime) -> _Ring:
    rows = keys.current(now=now)
    public = [orjson.loads(row.public) for row in rows]
    body = orjson.dumps({"keys": public})
    return _Ring(
        version=version,
        good_until=min((row.withdraw_at for row in rows if row.withdraw_at is not None), default=None),
        signers={row.algorithm: _Signer(row.kid, _private(row)) for row in rows if row.state == "active"},
        verifiers=jws.public_keys({"keys": public}) if public else (),
        published=Published(body, f'"{sha256(body).hexdigest()[:32]}"'),
    )


def _private(row: keys.KeyRow) -> jws.Key:
    # The sealed row is proved by AES-GCM and the key was checked when it was made: no second check of 30 ms.
    key = load_der_private_key(b64decode(row.private()), None, unsafe_skip_rsa_key_validation=True)
    match key:
        case EllipticCurvePrivateKey():
            return ECKey.import_key(key)
        case RSAPrivateKey():
            return RSAKey.import_key(key)
        case Ed25519PrivateKey():
            return OKPKey.import_key(key)
        case _:
            raise ValueError(f"{row.kid} is of a kind we do not sign with")
