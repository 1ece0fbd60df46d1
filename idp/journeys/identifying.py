"""Proving who one is with an eID: choosing one, waiting for it, and what may be said when it came to nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from idp.eid.connector import Leave, Level, Outcome
from idp.journeys.record import (
    Accepted,
    Declined,
    Here,
    Left,
    Notice,
    Rejected,
    Result,
    Submission,
    SwitchedUser,
)
from idp.rules.assurance import IDENTITY_LEVELS
from idp.services.eids import Asked, TooOften, View

ENDS = {
    Outcome.USER_REFUSED: "stopped",
    Outcome.WRONG_CODE_CHOSEN: "stopped",
    Outcome.IN_PROGRESS: "stopped",
    Outcome.TIMEOUT: "timeout",
    Outcome.NO_USABLE_ACCOUNT: "blocked",
    Outcome.LEVEL_TOO_LOW: "blocked",
    Outcome.REVOKED: "blocked",
    Outcome.RISK_BLOCKED: "blocked",
    Outcome.LINKED_ELSEWHERE: "other-account",
    Outcome.PERSON_MISMATCH: "other-person",
}
"""What a person hears of an outcome (page spec §8.4). Whatever is not here is "not working right now"."""


NOT_YET = Notice("info", "eid-pending")
"""The app has not answered. Without script the person asks again by the button."""

STAY = Accepted(lambda facts: facts)
"""Go where the person stands now: what has changed is the attempt."""


def answer(here: Here, submission: Submission) -> Result:
    """One of the page's buttons: an eID, "I have confirmed", stop, another account, or back to the service."""
    do, _, rest = submission.do.partition(":")
    attempt = here.situation.eid
    match do:
        case "start":
            return _start(here, submission, *rest.partition(":")[::2])
        case "check" if attempt is not None:
            here.tools.eids.poll(attempt)
            now = here.tools.eids.of_journey(here.journey_id)
            return Rejected(notices=(NOT_YET,), status=200) if now is not None and now.is_open else STAY
        case "cancel" if attempt is not None:
            here.tools.eids.cancel(attempt)
            return STAY
        case "switch-user":
            return SwitchedUser()
        case "decline":
            if attempt is not None and attempt.is_open:
                here.tools.eids.cancel(attempt)
            return Declined()
    return Rejected()


STEPS: dict[str, Callable[[Here, Submission], Result]] = {"eid": answer}


def template(here: Here) -> str:
    """The page: choose, wait, or how it ended."""
    attempt = here.situation.eid
    if attempt is None or attempt.eid not in here.tools.eids.connectors or attempt.status == "succeeded":
        return "eid"
    if attempt.is_open:
        return "eid" if attempt.flow == "redirect" else "eid-wait"
    return "eid-result"


def shown(here: Here) -> dict[str, Any]:
    """The eIDs that are offered, and where the last attempt stands. Never the person's name or number."""
    eids, attempt = here.tools.eids, here.situation.eid
    account_id = here.situation.account_id or ""
    offered = [
        {"name": name, "label": eid.label, "ways": eids.ways(name, account_id)}
        for name, eid in eids.connectors.items()
        if _reaches(here, name)
    ]
    found: dict[str, Any] = {
        "recovers": _recovers(here),
        "eids": offered,
        "origins": [o for eid in eids.connectors.values() for o in eid.origins],
    }
    if attempt is None or attempt.eid not in eids.connectors:
        return found
    eid = eids.connectors[attempt.eid]
    view = eids.view(attempt, locale=here.locale) if attempt.is_open else View()
    return found | {
        "eid": eid.label,
        "issuer": eid.issuer_name,
        "again": f"start:{attempt.eid}:{attempt.flow}",
        "end": ENDS.get(Outcome(attempt.outcome), "down") if attempt.outcome in set(Outcome) else "stopped",
        "qr": view.qr,
        "link": view.link,
        "code": view.code,
        "hint": view.hint,
    }


def _start(here: Here, submission: Submission, name: str, flow: str) -> Result:
    eids, account_id = here.tools.eids, here.situation.account_id
    if account_id is None or name not in eids.connectors or not _reaches(here, name):
        return Rejected()
    ways = eids.ways(name, account_id)
    asked = Asked(
        browser=here.record.browser,
        journey_id=here.journey_id,
        account_id=account_id,
        client_id=here.record.wanted.client.client_id,
        service=here.record.wanted.client.name,
        level=_level(here),
        origin=submission.origin,
        user_agent=submission.user_agent,
        locale=submission.locale,
        recovers=_recovers(here),
    )
    try:
        started = eids.start(name, flow if flow in ways else ways[0], asked)
    except TooOften as problem:
        minutes = problem.seconds // 60
        return Rejected(status=429, page="wait", shown={"minutes": minutes, "seconds": problem.seconds})
    return Left(started.url) if isinstance(started, Leave) else STAY


def _recovers(here: Here) -> bool:
    return here.journey == "lost-phone-eid"


def _level(here: Here) -> Level:
    return "high" if here.record.wanted.level == IDENTITY_LEVELS["high"] else "substantial"


def _reaches(here: Here, name: str) -> bool:
    """Whether this eID can prove what is wanted at all: a way that must fail is not offered."""
    offered = set(here.tools.eids.connectors[name].levels.values())
    return bool(offered & ({"high"} if _level(here) == "high" else {"substantial", "high"}))
