"""Choosing a password: at sign-up, in a reset, and while signed in, where the present one is asked for, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from idp.factors.contract import Limited
from idp.factors.password import Mismatch
from idp.journeys.record import Accepted, Fault, Here, Rejected, Result, Submission
from idp.rules.identifiers import EmailAddress, Malformed
from idp.services import accounts


def new_password(here: Here, submission: Submission) -> Result:
    """A new password, twice; all that is wrong with it is said at once (page spec §8.2)."""
    address, password = _address(here), submission.typed.get("new-password", "")
    service = here.tools.settings.service
    personal = (address.typed, address.canonical, service.name, service.provider_name)
    chosen = here.tools.password.choose(password, submission.typed.get("confirm-password", ""), personal=personal)
    faults = [] if isinstance(chosen, str) else [Fault(at, it.key, dict(it.values)) for it in chosen for at in _at(it)]
    if _wants_present(here) and not submission.typed.get("password"):
        faults.insert(0, Fault("password", "E-PW-EMPTY"))
    if faults or not isinstance(chosen, str):
        return Rejected(tuple(faults))
    if _wants_present(here) and (refused := _present_refused(here, submission, address)):
        return refused
    if here.journey != "sign-up" and here.tools.password.is_current(here.situation.account_id or "", password):
        return Rejected((Fault("new-password", "E-PW-SAME"),))
    stay = here.record.wanted.change is not None and not submission.typed.get("others")
    kept = {"verifier": chosen, "at": here.now.isoformat(), "others": "stay" if stay else "go"}
    return Accepted(lambda facts: facts.kept(here.step, **kept))


def shown(here: Here) -> dict[str, Any]:
    """The address, so that password managers keep the pair; and whether the present password is asked for, too."""
    return {
        "email": _address(here).typed,
        "minimum": here.tools.settings.passwords.minimum_length,
        "present": _wants_present(here),
        "change": here.record.wanted.change is not None,
    }


STEPS: dict[str, Callable[[Here, Submission], Result]] = {"password": new_password, "new-password": new_password}


def _wants_present(here: Here) -> bool:
    """While signed in the present password is typed, too, unless it just was, in this very journey (SR-11)."""
    typed = any(proof.step == "login" and proof.method == "password" for proof in here.facts.proofs)
    return here.record.wanted.change is not None and not typed


def _present_refused(here: Here, submission: Submission, address: EmailAddress) -> Rejected | None:
    """What is wrong with the password the account has now, tried under the same limits as at a sign-in (SR-26)."""
    outcome = here.tools.password.check(
        address.canonical,
        submission.typed["password"],
        origin=submission.origin,
        journey=here.journey_id,
        now=here.now,
    )
    match outcome:
        case Limited(seconds=seconds):
            return Rejected((Fault("password", "E-WAIT", {"n": -(-seconds // 60)}),), status=429)
        case Mismatch():
            return Rejected((Fault("password", "E-PW-CURRENT"),))
    return None


def _address(here: Here) -> EmailAddress:
    """The address the password will go with: the one that was just proved, or the account's own.

    In a reset they may differ: an address that was left leads back to its account for some days.
    """
    if here.journey != "sign-up":
        return accounts.address_of(here.situation.account_id or "")
    answer = here.facts.answers["email"]
    return EmailAddress(typed=answer["typed"], canonical=answer["canonical"])


def _at(problem: Malformed) -> tuple[str, ...]:
    """The fields of a message. Two empty fields have one each (page spec §9.2)."""
    if problem.key == "E-PW-EMPTY-NEW":
        return ("new-password", "confirm-password")
    return ("confirm-password",) if problem.key == "E-PW-MISMATCH" else ("new-password",)
