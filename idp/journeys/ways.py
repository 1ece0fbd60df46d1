"""Second steps for which nothing is sent: what each shows, and how its answer is judged. One row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from idp.factors.contract import Limited, NotProved, Proved, SwitchedOff
from idp.journeys import devices, passkeys
from idp.journeys.record import Accepted, Fault, Here, Notice, Rejected, Result, Submission
from idp.journeys.sending import limited
from idp.journeys.standing import proof_of
from idp.rules import identifiers, spelled_codes
from idp.rules.identifiers import Malformed
from idp.stores.durable.codes import Verdict

SWITCHED_OFF = Rejected(status=403, page="lost-phone", notices=(Notice("warning", "way-switched-off"),))
"""Too many wrong tries in a row (SR-17)."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do the second step."""

    factor: str
    page: str
    check: Callable[[Here, Submission], Result]
    shown: Callable[[Here], dict[str, Any]] = lambda _: {}
    comes_first: bool = True
    """It is shown at once to whoever has it and nothing stronger; else only by a link (SR-41, SR-62)."""


def app_code(here: Here, submission: Submission) -> Result:
    """The code that the authenticator app shows."""
    try:
        typed = identifiers.one_time_code(submission.typed.get("code", ""))
    except Malformed as problem:
        return _refused("app-code", "code", problem.key, **problem.values)
    account_id = here.situation.account_id or ""
    outcome = here.tools.authenticator_app.check(account_id, typed, journey=here.journey_id, now=here.now)
    match outcome:
        case Proved():
            return wished(here, submission, accepted(here, outcome))
        case NotProved(verdict=Verdict.USED):
            return _refused("app-code", "code", "E-CODE-USED")
        case NotProved():
            return _refused("app-code", "code", "E-APP-CODE-WRONG")
        case Limited(seconds=seconds):
            return limited(seconds)
        case SwitchedOff():
            return SWITCHED_OFF


def recovery_code(here: Here, submission: Submission) -> Result:
    """One of the codes of the list that was kept for this."""
    typed = spelled_codes.read(submission.typed.get("recovery-code", ""))
    if typed is None:  # no code looks like that: it costs no try
        return _refused("recovery-code", "recovery-code", "E-RC-WRONG")
    account_id = here.situation.account_id or ""
    outcome = here.tools.recovery_code.check(
        account_id, typed, journey=here.journey_id, now=here.now, device=submission.device
    )
    match outcome:
        case Proved():
            return accepted(here, outcome)
        case NotProved(verdict=Verdict.USED):
            return _refused("recovery-code", "recovery-code", "E-RC-USED")
        case NotProved():
            return _refused("recovery-code", "recovery-code", "E-RC-WRONG")
        case Limited(seconds=seconds):
            return limited(seconds)
        case SwitchedOff():
            return SWITCHED_OFF


def passkey(here: Here, submission: Submission) -> Result:
    """A passkey of this account. After a password it may be one that does not ask who uses it (SR-37)."""
    found = passkeys.used(here, submission)
    return found if isinstance(found, Rejected) else accepted(here, found.proved, found.key)


def accepted(here: Here, proved: Proved, key: str = "") -> Accepted:
    """The second step is done."""
    proof = proof_of(here, here.step, f"account:{here.situation.account_id}", proved, key)
    return Accepted(lambda facts: facts.proved(proof))


def wished(here: Here, submission: Submission, done: Accepted) -> Accepted:
    """The same, with the wish that this browser be remembered, where it was ticked."""
    return Accepted(lambda facts: devices.wished(here, submission, done.change(facts)))


WAYS = {
    way.factor: way
    for way in (
        Way("passkey", passkeys.PAGE, passkey, passkeys.way_shown, comes_first=False),  # not every device has it
        Way("totp", "app-code", app_code),
        Way("recovery_code", "recovery-code", recovery_code, comes_first=False),
    )
}
"""The strongest first."""


def offered(here: Here) -> list[Way]:
    """The ways that this person has, at this step, the strongest first."""
    return [way for name, way in WAYS.items() if name in here.situation.accepted and name in here.factors]


def chosen(here: Here, factor: str) -> Way | None:
    """The way of that name, if this person has it."""
    return next((way for way in offered(here) if way.factor == factor), None)


def _refused(page: str, field: str, key: str, **values: str | int) -> Rejected:
    return Rejected((Fault(field, key, values),), page=page)
