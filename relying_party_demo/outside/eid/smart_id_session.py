"""One authentication of the Smart-ID simulator, from the request to whatever ends it."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from . import clock
from .script import Instruction
from .smart_id_answers import terms_of
from .smart_id_formulas import Link, auth_code, callback, link_payload, verification_code

LINK_BASE = "https://smart-id.example/device-link"
LIFE, KEPT = timedelta(minutes=3), timedelta(minutes=5)
QR_AGE, QR_AHEAD = 4, 1
"""Seconds by which a code may be older or newer than the session is."""

SAME_DEVICE = ("Web2App", "App2App")


@dataclass(kw_only=True)
class Session:
    """One authentication."""

    body: dict[str, Any] = field(repr=False)
    pushed: bool
    asked_for: str | None = field(default=None, repr=False)
    said: Instruction | None = None
    id: str = field(default_factory=lambda: str(uuid4()))
    token: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    secret: str = field(default_factory=lambda: _base64(secrets.token_bytes(32)), repr=False)
    begun: datetime = field(default_factory=clock.now)
    flow: str = ""
    """`QR`, `Web2App`, `App2App` or `Notification`, once an app knows of it."""
    status: dict[str, Any] | None = field(default=None, repr=False)
    ended: datetime | None = None

    @property
    def text(self) -> str:
        """What the app shows."""
        told = json.loads(b64decode(self.body["interactions"]))[0]
        return str(told.get("displayText200") or told.get("displayText60"))

    @property
    def code(self) -> str | None:
        """The verification code of a push."""
        return verification_code(self.body["signatureProtocolParameters"]["rpChallenge"]) if self.pushed else None

    def end(self, status: dict[str, Any], at: datetime) -> None:
        """It is over, with this to tell."""
        self.status, self.ended = status, at


def ensure_true(session: Session, given: Link) -> None:
    """Refuse a link that the service cannot have made of this session, or not now. Raises ValueError."""
    true = auth_code(session.secret, link_payload(terms_of(session.body), given.unprotected, kind=given.kind))
    if not hmac.compare_digest(given.code, true):
        raise ValueError("the authCode is wrong")
    age = (clock.now() - session.begun).total_seconds()
    if given.elapsed is not None and not age - QR_AGE <= given.elapsed <= age + QR_AHEAD:
        raise ValueError("the code is not of now")
    if given.kind in SAME_DEVICE and "initialCallbackUrl" not in session.body:
        raise ValueError("the service has said no address to come back to")


def back(session: Session, verifier: str | None, fault: str = "") -> str | None:
    """The address that the app opens, if it is on the browser's device."""
    if session.flow not in SAME_DEVICE:
        return None
    secret = _base64(secrets.token_bytes(32)) if fault == "callback-other-digest" else session.secret
    return callback(session.body["initialCallbackUrl"], secret, verifier)


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()
