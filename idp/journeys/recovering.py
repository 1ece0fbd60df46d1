"""A lost phone: which ways are open, the code of support, and the number that waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from idp.factors.contract import Proved
from idp.journeys.record import Accepted, Fault, Here, Rejected, Result, Submission
from idp.journeys.sending import SWITCHED_OFF, limited
from idp.journeys.standing import proof_of
from idp.journeys.ways import WAYS
from idp.rules.factor_policy import LOGIN, RECOVERY, SUPPORT_CODE
from idp.rules.limits import SwitchedOff, Wait
from idp.services import identities, recovery

PAGE = "lost-phone"
"""P-LOST-PHONE, a page of its own beside whatever step a person stands at."""


def shown(here: Here) -> dict[str, Any]:
    """The ways that are truly open, to whoever has proved password or mailbox; never a number or an address."""
    account_id = here.situation.account_id
    if account_id is None or not _knows_them(here, account_id):
        return {"open": [], "eid": False, "support": False}
    return {
        "open": [name for name in WAYS if name in RECOVERY and name in here.situation.enrolled],
        "eid": bool(here.tools.eids.connectors) and identities.of_account(account_id) is not None,
        "support": recovery.is_open(account_id),
    }


def support_code(here: Here, submission: Submission) -> Result:
    """The code that support has told the person."""
    account_id, limits = here.situation.account_id or "", here.tools.settings.limits
    match recovery.spend(account_id, submission.typed.get("support-code", ""), limits, journey=here.journey_id):
        case True:
            proof = proof_of(here, here.step, f"account:{account_id}", Proved(SUPPORT_CODE, here.now))
            return Accepted(lambda facts: facts.proved(proof))
        case Wait(seconds=seconds):
            return limited(seconds)
        case SwitchedOff():
            return SWITCHED_OFF
    return Rejected((Fault("support-code", "E-SUPPORT-WRONG"),))


def waiting(here: Here) -> dict[str, Any]:
    """From when the new number counts."""
    return {"until": here.situation.phone_waits_until}


STEPS: dict[str, Callable[[Here, Submission], Result]] = {"support-code": support_code}


def _knows_them(here: Here, account_id: str) -> bool:
    return here.journey == "reset" or here.situation.live(f"account:{account_id}", LOGIN) is not None
