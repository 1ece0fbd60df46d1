"""What people prove: a password, a code that was sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import replace

from idp.factors.contract import Limited, NotProved, Proved, SwitchedOff, TooSoon
from idp.factors.password import Mismatch
from idp.journeys import devices, passkeys, sending, ways
from idp.journeys.facts import Begun, Facts
from idp.journeys.record import Accepted, Fault, Here, Rejected, Result, Submission, SwitchedUser
from idp.journeys.standing import proof_of, signed_in
from idp.rules import identifiers
from idp.rules.identifiers import Malformed
from idp.services import addresses
from idp.stores.durable.codes import Verdict

REFUSALS = {Verdict.EXPIRED: "E-CODE-EXPIRED", Verdict.SPENT: "E-CODE-SPENT", Verdict.WRONG: "E-CODE-WRONG"}


def login(here: Here, submission: Submission) -> Result:
    """Address and password together; which of the two was wrong is never said (SR-10, SR-47)."""
    if submission.do == "switch-user":
        return SwitchedUser()
    if submission.do == passkeys.USE:
        return passkeys.login(here, submission)
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
            return signed_in(here, account_id, proved)


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


def second_step(here: Here, submission: Submission) -> Result:
    """The second step, by a code that was sent or in another way that this person has."""
    way = ways.chosen(here, submission.typed.get("way", ""))
    return way.check(here, submission) if way else code(here, submission)


STEPS: dict[str, Callable[[Here, Submission], Result]] = {
    "login": login,
    "email-code": code,
    "second-step": second_step,
    **dict.fromkeys(("new-email-code", "mailbox-code", "phone-code", "new-phone-code"), code),
}


def _judged(here: Here, there: sending.There, begun: Begun, submission: Submission, typed: str) -> Result:
    match here.tools.codes[begun.factor].check(there.attempt(submission), begun.challenge, typed):
        case Proved() as proved:
            return Accepted(_proved(here, there, proved, submission))
        case NotProved(verdict=Verdict.USED):
            return Accepted(lambda facts: facts)
        case NotProved(verdict=verdict, left=left):
            return Rejected((Fault("code", REFUSALS[verdict], {"n": left}),))
        case Limited(seconds=seconds):
            return sending.limited(seconds)
        case SwitchedOff():
            return sending.SWITCHED_OFF


def _resend(here: Here, there: sending.There, submission: Submission) -> Result:
    default = there.begun.factor if there.begun else "email_code"
    factor = default if submission.do == "resend" else submission.do
    if factor not in here.factors:
        return Rejected()
    there = sending.with_factor(there, factor)
    number = here.facts.answers.get(sending.NUMBERS.get(here.step, ""), {})
    if factor == "sms" and number.get("takes_sms") == "no":
        return Rejected((Fault("code", "E-TEL-LANDLINE"),))
    sent = sending.send(there, submission, factor)
    match sent:
        case Rejected():
            return sent
        case TooSoon(seconds=seconds):
            return sending.too_soon(seconds)
    return Accepted(lambda facts: facts.began(here.step, there.record(sent)))


def _proved(here: Here, there: sending.There, proved: Proved, submission: Submission) -> Callable[[Facts], Facts]:
    address_life = timedelta(seconds=here.tools.settings.sessions.address_proof)
    proof = proof_of(here, here.step, there.about, proved)
    if here.step in sending.ADDRESSES:
        proof = replace(proof, until=proved.at + address_life)
    owner = None
    if here.step == "email-code":
        found = addresses.owner(here.facts.answers["email"]["canonical"])
        owner = found.id if found and found.lets_in else None

    def change(facts: Facts) -> Facts:
        known = facts.proved(proof)
        if here.step == "email-code":
            return replace(known, address_account=owner)
        if here.step in sending.NUMBERS:
            return known.kept(here.step, method=proved.method, at=proved.at.isoformat())
        return devices.wished(here, submission, known) if here.step == "second-step" else known

    return change
