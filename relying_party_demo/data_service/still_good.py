"""Is this token still good? Asked of the provider (RFC 7662), so that its end is seen within five seconds.

A signed token proves itself until it expires, whatever has become of it; one that means nothing proves nothing. For
an API that cannot wait ten minutes, or is given opaque tokens. Needs nothing but httpx; copy it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import httpx

from .provider_keys import KeysUnavailable, json_object

KEPT_FOR = 5.0
"""Seconds that an answer serves again."""

MOST = 10_000


class StillGood:
    """The introspection endpoint of one issuer. Safe to share between threads."""

    def __init__(self, issuer: str, credentials: Path, *, timeout: float = 3.0) -> None:
        """`credentials`: JSON file with our `client_id` and `client_secret`, read anew at each question."""
        self._issuer = issuer
        self._credentials = credentials
        self._timeout = timeout
        self._known: dict[bytes, tuple[float, Mapping[str, Any]]] = {}
        self._lock = Lock()

    def claims(self, token: str) -> Mapping[str, Any] | None:
        """What the provider says of the token; None when it is good no more. Raises KeysUnavailable.

        That somebody was refused is never remembered: it would keep a good token out.
        """
        digest, now = sha256(token.encode()).digest(), time.monotonic()
        with self._lock:
            known = self._known.get(digest)
        if known is not None and now - known[0] < KEPT_FOR:
            return known[1]
        told = self._asked(token)
        if told.get("active") is not True:
            return None
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[digest] = (now, told)
        return told

    def _asked(self, token: str) -> Mapping[str, Any]:
        try:
            own = json.loads(self._credentials.read_text("utf-8"))
            us = (str(own["client_id"]), str(own["client_secret"]))
            with httpx.Client(timeout=self._timeout, follow_redirects=False, trust_env=False) as http:
                document = json_object(http.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"))
                endpoint = str(document.get("introspection_endpoint"))
                return json_object(http.post(endpoint, data={"token": token}, auth=us))
        except (OSError, httpx.HTTPError, ValueError, KeyError) as problem:
            raise KeysUnavailable from problem  # nobody can be checked: later, not no
