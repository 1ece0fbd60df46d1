"""S-RECOVERY-CODES (page spec §11): a new list, shown until it is saved and never after; and how many are left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from idp.factors.recovery_code import NAME, Fresh, count
from idp.journeys.facts import Facts
from idp.journeys.record import Accepted, Fault, Here, Rejected, Result, Submission
from idp.rules import identifiers, spelled_codes
from idp.services import accounts

MAKE, SAVE, LEFT = "make-codes", "save-codes", "codes-left"

NEW_CODES = "new-codes"
"""The button of whoever wants new ones at once."""

ANEW_AT = "/account/recovery-codes"
"""Where such a person goes when signed in."""

FEW = 3
"""So many left, and new ones are advised."""

_list = msgspec.json.Decoder(list[Fresh])
_encode = msgspec.json.Encoder().encode


def make(here: Here, _submission: Submission) -> Result:
    """The codes, made once in a journey. Till they are saved its sealed record is all that knows them."""
    if MAKE in here.facts.answers:
        return Accepted(lambda facts: facts)
    fresh = _encode(here.tools.recovery_code.make(here.situation.account_id or "")).decode()
    return Accepted(lambda facts: facts.answered(MAKE, list=fresh))


def save(here: Here, submission: Submission) -> Result:
    """Only who has them gets them: the list counts when its owner says that it is in good hands."""
    if not submission.typed.get("saved"):
        return Rejected((Fault("saved", "E-SAVED"),))
    return Accepted(lambda facts: facts.kept(SAVE, at=here.now.isoformat()))


def go_on(_: Here, submission: Submission) -> Result:
    """Read how many are left: back to the service, or first to new ones."""
    chosen = NEW_CODES if submission.do == NEW_CODES else "service"
    return Accepted(lambda facts: facts.answered(LEFT, chosen=chosen))


def made(facts: Facts) -> list[Fresh]:
    """The list of this journey."""
    return _list.decode(facts.answers[MAKE]["list"])


def anew_at(facts: Facts) -> str | None:
    """Where whoever asked for new codes goes; None for all others."""
    return ANEW_AT if facts.answers.get(LEFT, {}).get("chosen") == NEW_CODES else None


def used(facts: Facts) -> bool:
    """Whether a recovery code was given in this journey."""
    return any(proof.method == NAME and proof.step == "second-step" for proof in facts.proofs)


def shown_before(here: Here) -> dict[str, Any]:
    """Whether there are codes that new ones make worthless."""
    return {"left": left(here)}


def shown(here: Here) -> dict[str, Any]:
    """The codes, and what a sheet of paper with them says."""
    account = accounts.by_id(here.situation.account_id or "")
    return {
        "codes": [spelled_codes.spelled(one.code) for one in made(here.facts)],
        "address": identifiers.masked(account.email) if account else "",
        "made_at": here.now,
    }


def shown_left(here: Here) -> dict[str, Any]:
    """How many are left, and whether that is few."""
    return {"left": left(here), "few": left(here) <= FEW}


def left(here: Here) -> int:
    """How many codes this person has."""
    return count(here.situation.account_id or "")


STEPS: dict[str, Callable[[Here, Submission], Result]] = {MAKE: make, SAVE: save, LEFT: go_on}
SHOWN: dict[str, Callable[[Here], dict[str, Any]]] = {MAKE: shown_before, SAVE: shown, LEFT: shown_left}
