"""Form tokens: each rendered form has one, bound to browser, journey and step (SR-57).

The token proves that we drew the form for this browser, tells how old it is, and its nonce makes the
form count once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256

from itsdangerous import BadSignature, SignatureExpired, TimestampSigner

from idp import clock

LIFETIME = 3600
"""Seconds after which a form must be shown once more before it counts (page spec §7)."""


class _Signer(TimestampSigner):
    def get_timestamp(self) -> int:
        return clock.timestamp()


@dataclass(frozen=True, slots=True)
class Form:
    """A token that is good: its nonce, and how many seconds ago the form was shown."""

    nonce: str
    age: int


class FormTokens:
    """Makes and checks the tokens."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, browser: str, place: str) -> str:
        """A token for a form drawn at `place` for this browser."""
        return self._signer(browser, place).sign(secrets.token_urlsafe(9)).decode()

    def read(self, token: str, browser: str, place: str) -> Form | None:
        """The form, or None when the token is not ours, not this browser's, not of this place, or too old."""
        try:
            nonce, made = self._signer(browser, place).unsign(token, max_age=LIFETIME, return_timestamp=True)
        except (BadSignature, SignatureExpired):
            return None
        return Form(nonce.decode(), max(0, clock.timestamp() - int(made.timestamp())))

    def _signer(self, browser: str, place: str) -> _Signer:
        return _Signer(self._key, salt=f"form|{browser}|{place}", digest_method=sha256)
