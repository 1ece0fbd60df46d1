"""A recovery code: one of ten that a person keeps for the day when nothing else is at hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from idp.factors.contract import Limited, NotProved, Proved, SwitchedOff
from idp.rules import limits, spelled_codes
from idp.services import notices, throttling
from idp.services.hashing import Hashing
from idp.settings import Limits
from idp.stores.durable import audit, guesses, recovery_codes
from idp.stores.durable.codes import Verdict
from idp.stores.durable.db import transaction
from idp.stores.durable.recovery_codes import Kept

NAME = "recovery_code"

CODES = 10
"""Codes of one list (SR-39)."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A code that nobody has seen yet, and what is kept of it."""

    code: str
    kept: Kept


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """The recovery code factor."""

    limits: Limits
    hashing: Hashing

    def make(self, account_id: str) -> list[Fresh]:
        """A new list, in clear this once. No two begin alike: a code is found by its first group."""
        found: dict[bytes, str] = {}
        while len(found) < CODES:
            code = spelled_codes.make()
            found[_finder(account_id, code)] = code
        return [Fresh(code, Kept(found_by, self.hashing.make(code))) for found_by, code in found.items()]

    def check(
        self, account_id: str, code: str, *, journey: str, now: datetime, device: str
    ) -> Proved | NotProved | Limited | SwitchedOff:
        """Try a code, as `spelled_codes.read` gives it. The try counts before anything is hashed (SR-9, SR-17).

        It counts once, and its owner hears of that in the same transaction (SR-39).
        """
        match throttling.before_code(self.limits, account_id, NAME):
            case limits.Wait(seconds=seconds):
                return Limited(seconds)
            case limits.SwitchedOff():
                return SwitchedOff()
        kept = recovery_codes.find(account_id, _finder(account_id, code))
        if not self.hashing.matches(kept.verifier if kept else None, code) or kept is None:
            throttling.code_failed(account_id, NAME)
            return _refused(Verdict.WRONG, account_id, journey)
        guesses.right(account_id, NAME)
        with transaction():
            if recovery_codes.spend(account_id, kept, now=now):
                audit.record("code.accepted", account_id=account_id, journey=journey, reason=NAME)
                notices.recovery_code_used(account_id, left=count(account_id), device=device)
                return Proved(NAME, now)
        return _refused(Verdict.USED, account_id, journey)


def count(account_id: str) -> int:
    """How many codes an account has left."""
    found = recovery_codes.left(account_id)
    return found.count if found else 0


def _finder(account_id: str, code: str) -> bytes:
    return recovery_codes.finder(account_id, code[: spelled_codes.GROUP])


def _refused(verdict: Verdict, account_id: str, journey: str) -> NotProved:
    audit.record(
        "code.refused", account_id=account_id, journey=journey, outcome="failure", reason=f"{NAME}: {verdict.value}"
    )
    return NotProved(verdict)
