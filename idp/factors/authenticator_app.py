"""An authenticator app: codes that change every 30 seconds, from a secret that app and provider share (RFC 6238)."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from secrets import compare_digest

import pyotp

from idp.factors.contract import Limited, NotProved, Proved, SwitchedOff
from idp.rules import limits
from idp.services import throttling
from idp.settings import Limits
from idp.stores.durable import audit, authenticator_apps, guesses
from idp.stores.durable.codes import Verdict
from idp.stores.durable.sealing import vault

NAME = "totp"

SECRET_BYTES = 20
"""160 bits (SR-35), the length of the hash that apps make codes with (RFC 4226 §4)."""

PERIOD = 30
"""Seconds a code is shown."""

DRIFT = 1
"""Steps that the app's clock may be off, before and after (SR-36)."""


@dataclass(frozen=True, slots=True)
class AuthenticatorApp:
    """The authenticator app factor."""

    limits: Limits

    def check(
        self, account_id: str, code: str, *, journey: str, now: datetime
    ) -> Proved | NotProved | Limited | SwitchedOff:
        """Try a code. The try counts before it is compared; a time step counts once, also from two places (SR-36)."""
        match throttling.before_code(self.limits, account_id, NAME):
            case limits.Wait(seconds=seconds):
                return Limited(seconds)
            case limits.SwitchedOff():
                return SwitchedOff()
        secret = authenticator_apps.secret_of(account_id)
        step = None if secret is None else step_of(secret, code, now=now)
        if step is None:
            throttling.code_failed(account_id, NAME)
            return _refused(Verdict.WRONG, account_id, journey)
        guesses.right(account_id, NAME)
        if not authenticator_apps.spend(account_id, step):
            return _refused(Verdict.USED, account_id, journey)
        audit.record("code.accepted", account_id=account_id, journey=journey, reason=NAME)
        return Proved(NAME, now)


def offered(told: str) -> str:
    """A secret of 160 bits in base32 that follows from what is told and from our key, and is the same each time."""
    return b32encode(vault().index(told, purpose="authenticator apps")[:SECRET_BYTES]).decode()


def address(secret: str, *, email: str, issuer: str) -> str:
    """The `otpauth:` address that apps read."""
    return pyotp.TOTP(secret, interval=PERIOD).provisioning_uri(name=email, issuer_name=issuer)


def step_of(secret: str, code: str, *, now: datetime) -> int | None:
    """The newest time step around `now` whose code this is; None when it is of none."""
    app = pyotp.TOTP(secret, interval=PERIOD)
    return next((step for step in _steps(now) if compare_digest(app.generate_otp(step), code)), None)


def _steps(now: datetime) -> Iterator[int]:
    present = int(now.timestamp()) // PERIOD  # UTC, whatever the process's time zone
    yield from range(present + DRIFT, present - DRIFT - 1, -1)


def _refused(verdict: Verdict, account_id: str, journey: str) -> NotProved:
    audit.record(
        "code.refused", account_id=account_id, journey=journey, outcome="failure", reason=f"{NAME}: {verdict.value}"
    )
    return NotProved(verdict)
