"""What people prove: a password, a code that was sent. And what they choose: a new password."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import replace

from idp.factors.contract import Limited, NotProved, Proved, SwitchedOff, TooSoon
from idp.factors.password import Mismatch
from idp.journeys import sending
from idp.journeys.facts import Begun, Facts, StepProof
from idp.journeys.record import Accepted, Fault, Here, Rejected, Result, Submission, SwitchedUser
from idp.rules import identifiers
from idp.rules.identifiers import Malformed
from idp.services import accounts
from idp.stores.durable.codes import Verdict

REFUSALS = {Verdict.EXPIRED: "E-CODE-EXPIRED", Verdict.SPENT: "E-CODE-SPENT", Verdict.WRONG: "E-CODE-WRONG"}


def login(here: Here, submission: Submission) -> Result:
    """Address and password together; which of the two was wrong is never said (SR-10, SR-47)."""
    if submission.do == "switch-user":
        return SwitchedUser()
    typed, password = submission.typed.get("email", ""), submission.typed.get("password", "")
    faults = [] if password else [Fault("password", "E-PW-EMPTY")]
    try:
        address = identifiers.email_address(typed)
    except Malformed as problem:
        return Rejected((Fault("email", problem.key, dict(problem.values)), *faults))
    if faults:
        return Rejected(tuple(faults))
    outcome = here.tools.password.check(
        address.canonical, password, origin=submission.origin, journey=here.journey_id, now=here.now
    )
    match outcome:
        case Limited(seconds=seconds):
            minutes = -(-seconds // 60)
            return Rejected((Fault("email", "E-WAIT", {"n": minutes}),), status=429, shown={"seconds": seconds})
        case Mismatch(misses=misses):
            return Rejected((Fault("email", "E-LOGIN"),), misses=misses)
        case (account_id, Proved() as proved):
            return Accepted(lambda facts: _signed_in(facts, here, account_id, proved))


def code(here: Here, submission: Submission) -> Result:
    """A code step: another code, by this channel or the other, or the code that was typed."""
    there = sending.at(here, step=here.step)
    if submission.do in ("resend", "sms", "voice"):
        return _resend(here, there, submission)
    if there.begun is None:
        return Rejected((Fault("code", "E-CODE-EXPIRED"),))
    try:
        typed = identifiers.one_time_code(submission.typed.get("code", ""))
    except Malformed as problem:
        return Rejected((Fault("code", problem.key, dict(problem.values)),))
    return _judged(here, there, there.begun, submission, typed)


def new_password(here: Here, submission: Submission) -> Result:
    """A new password, twice; all that is wrong with it is said at once (page spec §8.2)."""
    address = here.facts.answers["email"]
    password = submission.typed.get("new-password", "")
    service = here.tools.settings.service
    personal = (address["typed"], address["canonical"], service.name, service.provider_name)
    chosen = here.tools.password.choose(password, submission.typed.get("confirm-password", ""), personal=personal)
    if isinstance(chosen, tuple):
        faults = tuple(Fault(field, fault.key, dict(fault.values)) for fault in chosen for field in _fields_of(fault))
        return Rejected(faults)
    if here.journey == "reset" and here.tools.password.is_current(here.situation.account_id or "", password):
        return Rejected((Fault("new-password", "E-PW-SAME"),))
    kept = {"verifier": chosen, "at": here.now.isoformat()}
    return Accepted(lambda facts: facts.kept(here.step, **kept))


STEPS: dict[str, Callable[[Here, Submission], Result]] = {
    "login": login,
    "email-code": code,
    "second-step": code,
    "phone-code": code,
    "password": new_password,
    "new-password": new_password,
}


def _judged(here: Here, there: sending.There, begun: Begun, submission: Submission, typed: str) -> Result:
    match here.tools.codes[begun.factor].check(there.attempt(submission), begun.challenge, typed):
        case Proved() as proved:
            return Accepted(_proved(here, there, proved))
        case NotProved(verdict=Verdict.USED):
            return Accepted(lambda facts: facts)
        case NotProved(verdict=verdict, left=left):
            return Rejected((Fault("code", REFUSALS[verdict], {"n": left}),))
        case Limited(seconds=seconds):
            return sending.limited(seconds)
        case SwitchedOff():
            return sending.SWITCHED_OFF


def _fields_of(problem: Malformed) -> tuple[str, ...]:
    """Two empty fields have a message each (page spec §9.2)."""
    if problem.key == "E-PW-EMPTY-NEW":
        return ("new-password", "confirm-password")
    return ("confirm-password",) if problem.key == "E-PW-MISMATCH" else ("new-password",)


def _signed_in(facts: Facts, here: Here, account_id: str, proved: Proved) -> Facts:
    proof = StepProof(
        step="login",
        method=proved.method,
        about=f"account:{account_id}",
        at=proved.at,
        until=proved.at + here.tools.proof_life,
    )
    cut = facts.cut(("login", "second-step", "consent"))
    return replace(cut, account_id=account_id).answered("accounts", chosen="signed-in").proved(proof)


def _resend(here: Here, there: sending.There, submission: Submission) -> Result:
    default = there.begun.factor if there.begun else "email_code"
    factor = default if submission.do == "resend" else submission.do
    there = sending.with_factor(there, factor)
    if here.step == "phone-code" and factor == "sms" and here.facts.answers["phone"]["takes_sms"] == "no":
        return Rejected((Fault("code", "E-TEL-LANDLINE"),))
    sent = sending.send(there, submission, factor)
    match sent:
        case Rejected():
            return sent
        case TooSoon(seconds=seconds):
            return sending.too_soon(seconds)
    return Accepted(lambda facts: facts.began(here.step, there.record(sent)))


def _proved(here: Here, there: sending.There, proved: Proved) -> Callable[[Facts], Facts]:
    address_life = timedelta(seconds=here.tools.settings.sessions.address_proof)
    proof = StepProof(
        step=here.step,
        method=proved.method,
        about=there.about,
        at=proved.at,
        until=proved.at + (address_life if here.step == "email-code" else here.tools.proof_life),
    )
    owner = None
    if here.step == "email-code":
        found = accounts.by_address(here.facts.answers["email"]["canonical"])
        owner = found.id if found and found.active else None

    def change(facts: Facts) -> Facts:
        known = facts.proved(proof)
        if here.step == "email-code":
            return replace(known, address_account=owner)
        if here.step == "phone-code":
            return known.kept("phone-code", method=proved.method, at=proved.at.isoformat())
        return known

    return change
