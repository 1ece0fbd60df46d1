"""Sending a code for a step: to whom, in which message. The destination is the server's own (SR-16)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from idp.delivery import outbox
from idp.factors.contract import Attempt, Earlier, Limited, Sent, SwitchedOff, TooSoon, Unreachable
from idp.journeys.facts import Begun, Facts
from idp.journeys.record import Here, Notice, Rejected, Submission
from idp.services import accounts, addresses, throttling
from idp.stores.durable import codes, credentials

LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""When a code was last sent to whoever got none."""


ONCE_A_DAY = 24 * 3600
"""Seconds between two mails that say "no account with this address" (page spec §12.2, M-4)."""


SWITCHED_OFF = Rejected(status=403, page="lost-phone", notices=(Notice("warning", "switched-off"),))
"""Too many wrong tries in a row: this phone no longer serves (SR-17)."""


ADDRESSES = {"email-code": "email", "new-email-code": "new-email"}
"""Steps whose code goes to an address that the person gave, and the step at which they gave it."""

NUMBERS = {"phone-code": "phone", "new-phone-code": "new-phone"}
"""The same of a number."""


@dataclass(frozen=True, slots=True)
class There:
    """A code step, with the facts as they will be when the person stands there."""

    here: Here
    step: str
    facts: Facts
    factor: str = ""

    @property
    def begun(self) -> Begun | None:
        """The factor as begun before at this step."""
        return self.here.facts.begun.get(self.step)

    @property
    def failed(self) -> bool:
        """Whether the newest message is known to have reached nobody: then there is nothing to wait for.

        Not of a mail in a reset: an unknown address gets one a day, so its fate would tell who has an account (SR-47).
        """
        if self.here.journey == "reset" and self.step == "email-code":
            return False
        message = self.begun.message if self.begun else None
        return message is not None and outbox.state(message) == "failed"

    @property
    def about(self) -> str:
        """What a proof at this step is about."""
        if self.step in ADDRESSES:
            return f"address:{self.facts.answers[ADDRESSES[self.step]]['canonical']}"
        if self.step == "mailbox-code":
            return f"mailbox:{self.here.situation.account_id}"
        if self.step in NUMBERS:
            return f"number:{self.facts.answers[NUMBERS[self.step]]['e164']}"
        return f"account:{self.here.situation.account_id}"

    @property
    def destination(self) -> str:
        """Where its codes go: the address as typed, the number as proved or as given."""
        if self.step in ADDRESSES:
            return self.facts.answers[ADDRESSES[self.step]]["typed"]
        if self.step == "mailbox-code":
            return accounts.address_of(self.here.situation.account_id or "").typed
        if self.step in NUMBERS:
            return self.facts.answers[NUMBERS[self.step]]["e164"]
        phone = credentials.phone_of(self.here.situation.account_id or "")
        return phone.number if phone else ""

    def attempt(self, submission: Submission, *, message: str = "", silent: bool = False) -> Attempt:
        """The attempt as factors know it."""
        key = self.here.situation.account_id if self.about.startswith(("account:", "mailbox:")) else None
        return Attempt(
            journey_id=self.here.journey_id,
            purpose=self.here.journey,
            about=self.about,
            destination=self.destination,
            account_key=key or throttling.address_key(self.about),
            locale=submission.locale,
            origin=submission.origin,
            device=submission.device,
            now=self.here.now,
            message=message,
            silent=silent,
        )

    def record(self, sent: Sent) -> Begun:
        """What the journey keeps of a code that was sent."""
        return Begun(
            factor=self.factor,
            about=self.about,
            challenge=sent.challenge,
            sends=sent.sends,
            last_sent=sent.at,
            message=sent.message,
        )


def at(here: Here, *, step: str, facts: Facts | None = None) -> There:
    """This step, with the facts as they are or will be."""
    begun = here.facts.begun.get(step)
    return There(here, step, facts or here.facts, begun.factor if begun else "")


def with_factor(there: There, factor: str) -> There:
    """The same step, by this factor."""
    return replace(there, factor=factor)


def send(there: There, submission: Submission, factor: str) -> Sent | TooSoon | Rejected:
    """Send a code by this factor. Too soon is no fault where the code before still counts."""
    begun = there.begun
    earlier = None
    if begun is not None:
        # Whoever got no message is not kept waiting for the other way (page spec §7).
        since = LONG_AGO if there.failed else begun.last_sent
        earlier = Earlier(begun.challenge, begun.about, begun.sends, since)
    message, silent = _message(there, submission, factor)
    outcome = there.here.tools.codes[factor].begin(there.attempt(submission, message=message, silent=silent), earlier)
    if isinstance(outcome, Sent) and begun is not None and begun.about != there.about:
        _void(begun, there)
    return outcome if isinstance(outcome, Sent | TooSoon) else _refusal(outcome, factor)


def limited(seconds: int) -> Rejected:
    """P-WAIT: many codes were asked for."""
    return Rejected(status=429, page="wait", shown={"minutes": -(-seconds // 60), "seconds": seconds})


def too_soon(seconds: int) -> Rejected:
    """Said openly in one's own journey, and not as an error (DESIGN §6)."""
    return Rejected(notices=(Notice("info", "too-soon", {"n": seconds}),), status=429, shown={"seconds": seconds})


def _refusal(outcome: Limited | Unreachable | SwitchedOff, factor: str) -> Rejected:
    match outcome:
        case Limited(seconds=seconds):
            return limited(seconds)
        case Unreachable():  # our fault, so no error of the person's: the other way is on the same page
            key = "E-CALL-FAILED" if factor == "voice" else "E-SMS-FAILED"
            return Rejected(notices=(Notice("warning", key),), status=503)
        case SwitchedOff():
            return SWITCHED_OFF


def _void(begun: Begun, there: There) -> None:
    """The code went elsewhere before: it is worth nothing now, sent or not."""
    codes.void(begun.challenge, now=there.here.now)
    if begun.message is not None:
        outbox.withdraw(begun.message)


def _message(there: There, submission: Submission, factor: str) -> tuple[str, bool]:
    """Which message carries the code, and whether to send none: a trap was sprung, or words were sent today (§12).

    Words instead of a code: nobody has the address in a reset, or somebody else has it in a change of address.
    """
    if factor != "email_code":
        new = "T-2" if there.step == "new-phone-code" else "T-1"
        return ("V-1" if factor == "voice" else new), False
    if there.step == "mailbox-code":
        return "M-25", False
    owner = addresses.owner(there.facts.answers[ADDRESSES[there.step]]["canonical"])
    known = owner is not None
    if there.here.journey == "sign-up":
        return ("M-2" if known else "M-1"), bool(submission.typed.get("website"))
    code, words, wanted = "M-3", "M-4", known
    if there.step == "new-email-code":  # an address that one left some days ago is one's own
        code, words, wanted = "M-21", "M-22", owner is None or owner.id == there.here.situation.account_id
    if wanted:
        return code, False
    key = throttling.address_key(there.about)
    return words, not there.here.tools.store.claim(f"told-{words}:{key}", ttl=ONCE_A_DAY)
