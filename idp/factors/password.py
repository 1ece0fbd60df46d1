"""A password: proved at sign-in, chosen at sign-up and reset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from idp.factors.contract import Limited, Proved
from idp.rules import limits, passwords
from idp.rules.identifiers import Malformed
from idp.services import accounts, notices, throttling
from idp.services.hashing import Hashing
from idp.services.windows import Origin
from idp.settings import Limits, Passwords
from idp.stores.durable import audit, credentials
from idp.stores.shortlived.contract import ShortLived

DAY = 24 * 3600
"""Seconds between two mails about wrong passwords (page spec §12.3, M-11)."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Address and password do not go together; how many times in a row."""

    misses: int


@dataclass(frozen=True, slots=True)
class Password:
    """The password factor."""

    settings: Passwords
    limits: Limits
    store: ShortLived
    hashing: Hashing

    def check(
        self, canonical: str, password: str, *, origin: Origin, journey: str, now: datetime
    ) -> tuple[str, Proved] | Mismatch | Limited:
        """The account and the proof, or why not; an unknown address costs the same (SR-10, SR-47).

        The limits are asked before anything is hashed (SR-9).
        """
        key = throttling.address_key(canonical)
        match throttling.before_password(self.store, self.limits, key, origin):
            case limits.Wait(seconds=seconds):
                audit.record("sign-in.throttled", journey=journey, outcome="refused")
                return Limited(seconds)
            case limits.SwitchedOff():
                return Limited(24 * 3600)
        account = accounts.by_address(canonical)
        verifier = credentials.verifier_of(account.id if account else "")
        matches = self.hashing.matches(verifier, password)
        if account is None or not matches or not account.lets_in:
            misses = throttling.password_failed(self.store, key, origin)
            if throttling.are_many_misses(key) and self.store.claim(f"told-of-misses:{key}", ttl=DAY):
                notices.many_attempts(account)
            audit.record(
                "sign-in.failed", account_id=account.id if account else None, journey=journey, outcome="failure"
            )
            return Mismatch(misses)
        throttling.password_succeeded(key, origin)
        if verifier is not None and self.hashing.is_outdated(verifier):
            credentials.rehash(account.id, verifier, self.hashing.make(password))
        return account.id, Proved("password", now)

    def choose(self, password: str, confirmation: str, *, personal: Sequence[str]) -> str | tuple[Malformed, ...]:
        """A verifier for a new password, or all that is wrong with it at once (page spec §8.2)."""
        if not password and not confirmation:
            return (Malformed("E-PW-EMPTY-NEW", {}),)
        faults = list(passwords.faults(password, minimum=self.settings.minimum_length, personal=personal))
        if passwords.normalise(password) != passwords.normalise(confirmation):
            faults.append(Malformed("E-PW-MISMATCH", {}))
        return tuple(faults) if faults else self.hashing.make(password)

    def is_current(self, account_id: str, password: str) -> bool:
        """Whether this is the password the account has now (E-PW-SAME)."""
        return self.hashing.matches(credentials.verifier_of(account_id), password)
