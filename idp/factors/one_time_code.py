"""The code process, once: wait, limit, issue, post, redeem. Channels differ by data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from idp.delivery import breaker, outbox
from idp.delivery.outbox import Message
from idp.factors.contract import Attempt, Earlier, Limited, NotProved, Proved, Sent, SwitchedOff, TooSoon, Unreachable
from idp.rules import limits
from idp.services import throttling
from idp.settings import Codes, Limits
from idp.stores.durable import audit, codes
from idp.stores.durable.codes import Verdict
from idp.stores.durable.db import transaction
from idp.stores.shortlived.contract import ShortLived

DIGITS = 6


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A code of six digits over one channel."""

    name: str
    channel: str
    usual_lifetime: int
    """Seconds a code lives."""
    settings: Codes
    limits: Limits
    store: ShortLived
    lifetimes: Mapping[str, int] = field(default_factory=dict)
    """Seconds a code lives for purposes of which it is another number."""

    def begin(self, attempt: Attempt, before: Earlier | None) -> Sent | TooSoon | Limited | Unreachable | SwitchedOff:
        """Send a code, unless it is too soon or a limit holds. Resending resets no counter (SR-17)."""
        same = before if before is not None and before.about == attempt.about else None
        if same is not None and (seconds := self._wait(attempt, same)) > 0:
            return TooSoon(seconds)
        if self.channel != "email" and breaker.channel_is_down(self.store, self.channel):  # mail is queued instead
            return Unreachable()
        decision = throttling.before_send(
            self.store,
            self.limits,
            channel=self.channel,
            destination=attempt.destination,
            account=attempt.account_key,
            origin=attempt.origin,
        )
        match decision:
            case limits.Wait(seconds=seconds):
                audit.record("code.limited", **attempt.told, outcome="refused", reason=self.channel)
                return Limited(seconds)
            case limits.SwitchedOff():
                return SwitchedOff()
        return self._send(attempt, same)

    def check(self, attempt: Attempt, challenge: str, code: str) -> Proved | NotProved | Limited | SwitchedOff:
        """Try a code; the try counts before it is compared, for the challenge and for the account (SR-18)."""
        match throttling.before_code(self.limits, attempt.account_key, self.name):
            case limits.Wait(seconds=seconds):
                return Limited(seconds)
            case limits.SwitchedOff():
                return SwitchedOff()
        verdict, left = codes.redeem(
            challenge, self._binding(attempt), code, tries=self.settings.tries, now=attempt.now
        )
        if verdict is not Verdict.RIGHT:
            audit.record("code.refused", **attempt.told, outcome="failure", reason=f"{self.name}: {verdict.value}")
            if verdict is Verdict.WRONG:
                throttling.code_failed(attempt.account_key, self.name)
            return NotProved(Verdict.SPENT if verdict is Verdict.WRONG and left == 0 else verdict, left)
        throttling.code_succeeded(
            self.store, attempt.account_key, self.name, channel=self.channel, destination=attempt.destination
        )
        audit.record("code.accepted", **attempt.told, reason=self.name)
        return Proved(self.name, attempt.now)

    def wait_left(self, sends: int, since: timedelta) -> int:
        """Seconds until another code may be asked for (page spec §6)."""
        waits = self.settings.resend_waits
        due = waits[min(sends, len(waits)) - 1] if waits else 0
        return max(0, due - int(since.total_seconds()))

    def lifetime(self, purpose: str) -> int:
        """Seconds a code for this purpose lives."""
        return self.lifetimes.get(purpose, self.usual_lifetime)

    def _wait(self, attempt: Attempt, before: Earlier) -> int:
        return self.wait_left(before.sends, attempt.now - before.last_sent)

    def _send(self, attempt: Attempt, before: Earlier | None) -> Sent:
        lifetime = self.lifetime(attempt.purpose)
        expires_at = attempt.now + timedelta(seconds=lifetime)
        with transaction():
            challenge = self._reusable(before) or codes.open_challenge(self._binding(attempt), now=attempt.now)
            code = codes.issue(challenge, digits=DIGITS, expires_at=expires_at)
            message_id = None
            if not attempt.silent:
                values = {"code": code, "minutes": str(lifetime // 60), "device": attempt.device}
                message_id = outbox.post(
                    Message(
                        kind=attempt.message,
                        channel=self.channel,
                        to=attempt.destination,
                        locale=attempt.locale,
                        values=values,
                    ),
                    deliver_by=expires_at,
                )
            audit.record("code.sent", **attempt.told, reason=f"{self.name}: {attempt.purpose}")
        outbox.wake()
        return Sent(challenge, (before.sends if before else 0) + 1, attempt.now, message_id)

    def _reusable(self, before: Earlier | None) -> str | None:
        if before is None:
            return None
        known = codes.look(before.challenge)
        return before.challenge if known and not known.used and known.tries < self.settings.tries else None

    def _binding(self, attempt: Attempt) -> str:
        # One journey, one purpose, one exact destination: the code fails anywhere else (SR-15).
        return f"{attempt.journey_id}|{attempt.purpose}|{attempt.about}|{attempt.destination}"
