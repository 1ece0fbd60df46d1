"""The provider's public keys: fetched through discovery, kept at most an hour, kept longer when fetching fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from threading import Lock
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

log = logging.getLogger(__name__)

LONGEST_KEPT = 3600
SHORTEST_PAUSE = 60
LARGEST_ANSWER = 256 * 1024
PUBLIC_KEY_TYPES = ("EC", "RSA", "OKP")


class KeysUnavailable(Exception):
    """No key set has ever been fetched, and it cannot be fetched now. Answer 503, not 401."""


class ProviderKeys:
    """The key set of one issuer. Safe to share between threads."""

    def __init__(self, issuer: str, *, timeout: float = 3.0) -> None:
        """`timeout` is in seconds, for one fetch."""
        self.issuer = issuer
        self._timeout = timeout
        self._lock = Lock()
        self._keys: Mapping[str, Key] | None = None
        self._fetched = self._tried = float("-inf")

    def find(self, kid: str) -> Key | None:
        """The key of that id, an opaque string. None if the provider has no such key.

        An unknown id makes one new fetch, at most once a minute, so that strangers cannot make us hammer
        the provider (RFC 9068 §4). Raises KeysUnavailable.
        """
        keys = self._keys
        if keys is None or kid not in keys or time.monotonic() - self._fetched > LONGEST_KEPT:
            keys = self._refreshed(kid)
        return keys.get(kid)

    def _refreshed(self, kid: str) -> Mapping[str, Key]:
        with self._lock:
            now = time.monotonic()
            fresh = self._keys is not None and now - self._fetched <= LONGEST_KEPT
            somebody_was_first = fresh and kid in (self._keys or {})
            first_time = self._keys is None and now - self._tried > 1  # nothing to fall back on: try again soon
            if not somebody_was_first and (first_time or now - self._tried >= SHORTEST_PAUSE):
                self._tried = now
                try:
                    self._keys, self._fetched = self._fetch(), now
                except (httpx.HTTPError, ValueError) as problem:
                    log.warning("provider's keys not fetched, keeping the old ones: %s", problem)
            if self._keys is None:
                raise KeysUnavailable
            return self._keys

    def _fetch(self) -> Mapping[str, Key]:
        with httpx.Client(timeout=self._timeout, follow_redirects=False, trust_env=False) as http:
            metadata = json_object(http.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"))
            if metadata.get("issuer") != self.issuer:  # RFC 8414 §3.3
                raise ValueError("discovery names another issuer")
            key_set = json_object(http.get(str(metadata.get("jwks_uri"))))
        keys = dict(entry for key in key_set.get("keys") or () if (entry := _usable(key)))
        if not keys:
            raise ValueError("the key set has no usable key")
        return keys


def json_object(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of a good answer of sensible size. Raises ValueError, httpx.HTTPError."""
    answer.raise_for_status()
    sensible = answer.status_code == httpx.codes.OK and len(answer.content) <= LARGEST_ANSWER
    value = answer.json() if sensible else None
    if isinstance(value, dict):
        return value
    raise ValueError(f"unexpected answer from {answer.url}")


def _usable(entry: object) -> tuple[str, Key] | None:
    """A public signing key with an id; anything else in the set is not for us (never a MAC: SR-91)."""
    if not isinstance(entry, dict) or entry.get("kty") not in PUBLIC_KEY_TYPES or entry.get("use", "sig") != "sig":
        return None
    kid = entry.get("kid")
    if not isinstance(kid, str) or not kid:
        return None
    public = {name: value for name, value in entry.items() if name not in {"d", "p", "q", "dp", "dq", "qi", "oth"}}
    try:
        return kid, import_key(public)
    except (JoseError, ValueError, KeyError):
        log.warning("one key of the provider cannot be read and is left out")
        return None
