"""Passkeys at the steps of journeys: to sign in, as the second step, and making one (page spec §8.1, P-PASSKEY)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import msgspec

from idp.factors.contract import Limited
from idp.factors.passkey import NAME, Accepted, Ceremony, NotAccepted
from idp.journeys.record import Accepted as GoOn
from idp.journeys.record import Declined, Here, Rejected, Result, Submission
from idp.journeys.standing import signed_in
from idp.rules.factor_policy import accepts
from idp.rules.passkeys import NewPasskey
from idp.services import accounts

USE = "passkey"
"""The button whose form brings back what a ceremony came to; nothing, where it was stopped."""

PAGE = "passkey"
MAKE = "new-passkey"
"""The step at which one is made, and its page."""

FIELD = "credential"


def may_be_used(here: Here) -> bool:
    """Whether this step may be done with a passkey: by anybody, or by this account, which has one."""
    if not here.tools.passkey.is_on or NAME not in here.factors:
        return False
    if not accepts(here.situation.second_factors, NAME):
        return False
    return here.situation.account_id is None or NAME in here.situation.enrolled


def options(here: Here) -> dict[str, Any] | Limited | None:
    """What the browser needs for the ceremony of this step; None where there is none."""
    if here.step == MAKE:
        return _offer(here)
    if not may_be_used(here):
        return None
    return here.tools.passkey.ask(_ceremony(here), verified=_must_verify(here))


def login(here: Here, submission: Submission) -> Result:
    """By a passkey alone: it says who it is, and having asked for a face, a finger or a lock it is both steps."""
    found = used(here, submission)
    return found if isinstance(found, Rejected) else signed_in(here, found.account_id, found.proved, found.key)


def used(here: Here, submission: Submission) -> Accepted | Rejected:
    """The passkey that was used, or the page that says what became of it."""
    answer = submission.typed.get(FIELD, "")
    if not answer or not may_be_used(here):
        return _result("stopped", 200)
    found = here.tools.passkey.check(_ceremony(here), answer, verified=_must_verify(here))
    if isinstance(found, Accepted):
        return found
    if found.unknown is None:
        return _result("stopped", 422)
    return _result("unknown", 422, signal=_signal(here, found.unknown))


def make(here: Here, submission: Submission) -> Result:
    """The passkey that was just made, kept until the journey is complete; or no, or on from here."""
    if here.journey == "sign-in" and submission.do in ("not-now", "continue"):
        return GoOn(lambda facts: facts.answered(MAKE, said=submission.do))
    if submission.do != USE or not here.tools.passkey.is_on:
        return Declined()
    answer = submission.typed.get(FIELD, "")
    made = here.tools.passkey.made(_ceremony(here), answer) if answer else NotAccepted()
    if isinstance(made, NotAccepted):
        return Rejected(status=422 if answer else 200, page=MAKE, shown={"state": "stopped"})
    kept = msgspec.json.encode(made).decode()
    return GoOn(lambda facts: facts.kept(MAKE, made=kept))


def offers(here: Here) -> bool:
    """Whether a passkey may be offered after this step, if the browser can make one (page spec §8.2)."""
    if not here.tools.passkey.is_on:
        return False
    after_sign_up = here.tools.settings.passkeys.offer_after_sign_up
    return (here.journey, here.step) == ("reset", "new-password") or (
        after_sign_up and (here.journey, here.step) == ("sign-up", "phone-code")
    )


def offered(here: Here, submission: Submission, result: Result) -> Result:
    """With the offer to come, where this was the last step before it and the browser can make passkeys."""
    if not isinstance(result, GoOn) or not submission.may_offer or not offers(here):
        return result
    return GoOn(lambda facts: result.change(facts).answered("offer", after=here.journey))


def kept(here: Here) -> NewPasskey | None:
    """The passkey that this journey has made, if it has."""
    found = here.facts.bound.get(MAKE)
    return msgspec.json.decode(found["made"], type=NewPasskey) if found else None


def made_shown(here: Here) -> dict[str, Any]:
    """P-PASSKEY-OFFER: whether one was made, and whether this is a change of the account."""
    made = kept(here) is not None
    return {
        "state": "made" if made else "",
        "change": here.record.wanted.change is not None,
        "passkey": not made,
    }


def way_shown(here: Here) -> dict[str, Any]:
    """P-PASSKEY as the second step."""
    return {"state": "", "second": here.step == "second-step"}


STEPS = {MAKE: make}


def _offer(here: Here) -> dict[str, Any] | Limited | None:
    account = accounts.by_id(here.situation.account_id or "")
    if account is None or not here.tools.passkey.is_on:
        return None
    return here.tools.passkey.offer(_ceremony(here), address=account.email)


def _ceremony(here: Here) -> Ceremony:
    place = f"{here.journey_id}/{here.journey}/{here.step}"
    return Ceremony(place, here.journey_id, here.situation.account_id, here.now)


def _must_verify(here: Here) -> bool:
    """A passkey stands for two factors unless a password of the same account was proved already (SR-37)."""
    if here.step != "second-step":
        return True
    return here.situation.live(f"account:{here.situation.account_id}", ("password",)) is None


def _result(state: str, status: int, **more: str) -> Rejected:
    return Rejected(status=status, page=PAGE, shown={"state": state, "signal": "", **more})


def _signal(here: Here, unknown: bytes) -> str:
    """What lets a password store forget a passkey that is none any more (WebAuthn L3, Signal API)."""
    credential_id = urlsafe_b64encode(unknown).rstrip(b"=").decode()
    told = {"rpId": here.tools.settings.relying_party_id, "credentialId": credential_id}
    return msgspec.json.encode({"signalUnknownCredential": told}).decode()
