"""What people tell: an address, a number, an account, a consent. One function per `ask` step."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from idp.factors.contract import Sent, TooSoon
from idp.journeys import sending
from idp.journeys.facts import Facts
from idp.journeys.record import Accepted, Declined, Fault, Here, Notice, Rejected, Result, Submission, SwitchedUser
from idp.rules import identifiers
from idp.rules.identifiers import EmailAddress, Malformed
from idp.services import accounts as services

ONCE_MORE = Notice("info", "once-more")


def fault(field: str, problem: Malformed) -> Rejected:
    """One message at one field."""
    return Rejected((Fault(field, problem.key, dict(problem.values)),))


def email(here: Here, submission: Submission) -> Result:
    """The address of a sign-up or a reset: tidied, then a code goes there, known or not (SR-47)."""
    typed = submission.typed.get("suggestion" if submission.do == "use-suggestion" else "email", "")
    try:
        address = identifiers.email_address(typed)
    except Malformed as problem:
        return fault("email", problem)
    if here.journey == "sign-up":
        if submission.age < here.tools.settings.limits.sign_up_seconds:  # no person is that quick
            return Rejected(notices=(ONCE_MORE,), status=200)
        if submission.do not in ("keep", "use-suggestion") and (warning := _warning(here, address)):
            return warning
    return _send_to(here, submission, address)


def new_email(here: Here, submission: Submission) -> Result:
    """The address to have instead: a code goes there, or words where somebody else has it already (page spec §11)."""
    try:
        address = identifiers.email_address(submission.typed.get("email", ""))
    except Malformed as problem:
        return fault("email", problem)
    if address.canonical == services.address_of(here.situation.account_id or "").canonical:
        return Rejected((Fault("email", "E-EMAIL-SAME"),))
    answer = {"typed": address.typed, "canonical": address.canonical, "at": here.now.isoformat()}
    asked = replace(here.facts, answers={**here.facts.answers, "new-email": answer})
    there = sending.with_factor(sending.at(here, step="new-email-code", facts=asked), "email_code")
    sent = sending.send(there, submission, "email_code")
    if isinstance(sent, Rejected):
        return sent

    def change(facts: Facts) -> Facts:
        cut = facts.cut(("new-email", "new-email-code"))
        return _sent(cut.answered("new-email", **answer), "new-email-code", sent, there)

    return Accepted(change)


def phone(here: Here, submission: Submission) -> Result:
    """The number, and with it the first code by text message or call."""
    country = submission.typed.get("country", "") or here.tools.settings.phones.default_country
    try:
        number = identifiers.phone_number(
            submission.typed.get("tel", ""), country=country, allowed=here.tools.settings.phones.countries
        )
    except Malformed as problem:
        return fault("tel", problem)
    channel = "voice" if submission.do == "voice" else "sms"
    if channel == "sms" and not number.takes_sms:
        return Rejected((Fault("tel", "E-TEL-LANDLINE"),))
    answer = {
        "e164": number.e164,
        "country": country,
        "typed": number.typed,
        "takes_sms": "yes" if number.takes_sms else "no",
    }
    step, code = here.step, f"{here.step}-code"
    asked = replace(here.facts, answers={**here.facts.answers, step: answer})
    there = sending.with_factor(sending.at(here, step=code, facts=asked), channel)
    sent = sending.send(there, submission, channel)
    if isinstance(sent, Rejected):
        return sent

    def change(facts: Facts) -> Facts:
        return _sent(facts.cut((step, code)).answered(step, **answer), code, sent, there)

    return Accepted(change)


def accounts(_: Here, submission: Submission) -> Result:
    """Which account to go on with: the one signed in, or another."""
    if submission.do == "other":
        return SwitchedUser()
    return Accepted(lambda facts: facts.answered("accounts", chosen="session"))


def consent(here: Here, submission: Submission) -> Result:
    """What the client may have. Saying no goes back to it, politely (page spec §8.5)."""
    if submission.do != "share":
        return Declined()
    return Accepted(lambda facts: facts.answered("consent", scopes=" ".join(here.situation.consent)))


ANSWERS: dict[str, Callable[[Here, Submission], Result]] = {
    "email": email,
    "new-email": new_email,
    "phone": phone,
    "new-phone": phone,
    "accounts": accounts,
    "consent": consent,
    "other-step-needed": lambda _, __: Declined(),
}


def _warning(here: Here, address: EmailAddress) -> Rejected | None:
    slip = identifiers.likely_slip(address)
    if slip:
        return Rejected(status=200, shown={"slip": slip})
    domain = address.canonical.rpartition("@")[2]
    if domain in here.tools.settings.service.work_email_domains:
        return Rejected(status=200, shown={"work_email": True})
    return None


def _send_to(here: Here, submission: Submission, address: EmailAddress) -> Result:
    answer = {"typed": address.typed, "canonical": address.canonical}
    asked = replace(here.facts, answers={**here.facts.answers, "email": answer})
    there = sending.with_factor(sending.at(here, step="email-code", facts=asked), "email_code")
    sent = sending.send(there, submission, "email_code")
    if isinstance(sent, Rejected):
        return sent

    def change(facts: Facts) -> Facts:
        later = ("email", "email-code", "password", "phone", "phone-code", "new-password")
        cut = replace(facts.cut(later), address_account=None)
        return _sent(cut.answered("email", **answer), "email-code", sent, there)

    return Accepted(change)


def _sent(facts: Facts, step: str, sent: Sent | TooSoon, there: sending.There) -> Facts:
    """With the new challenge; with the one before when it was too soon for another code."""
    if isinstance(sent, TooSoon):
        return replace(facts, begun={**facts.begun, step: there.begun}) if there.begun else facts
    return facts.began(step, there.record(sent))
