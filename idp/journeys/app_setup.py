"""S-APP: setting an authenticator app up (page spec §11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from idp.factors import authenticator_app
from idp.journeys.record import Accepted, Fault, Here, Rejected, Result, Submission
from idp.rules import identifiers
from idp.rules.identifiers import Malformed
from idp.services import accounts

STEP = "set-up-app"


def secret(here: Here) -> str:
    """The secret that is offered in this journey, the same at every look.

    It is kept nowhere before it is confirmed: it follows from what this browser alone holds, and our key (SR-35).
    """
    told = (here.journey_id, here.record.browser, here.record.begun_at.isoformat(), here.situation.account_id or "")
    return authenticator_app.offered("|".join(told))


def confirm(here: Here, submission: Submission) -> Result:
    """The first code that the app shows: with it the app counts, and the code's time step is used (SR-36)."""
    try:
        typed = identifiers.one_time_code(submission.typed.get("code", ""))
    except Malformed as problem:
        return Rejected((Fault("code", problem.key, dict(problem.values)),))
    step = authenticator_app.step_of(secret(here), typed, now=here.now)
    if step is None:
        return Rejected((Fault("code", "E-APP-CODE-WRONG"),))
    kept = {"time_step": str(step), "at": here.now.isoformat(), "method": authenticator_app.NAME}
    return Accepted(lambda facts: facts.kept(STEP, **kept))


def shown(here: Here) -> dict[str, Any]:
    """The secret: as text in groups of four, and as the address that apps read from picture or link."""
    account, key = accounts.by_id(here.situation.account_id or ""), secret(here)
    link = authenticator_app.address(
        key, email=account.email if account else "", issuer=here.tools.settings.service.provider_name
    )
    return {"key": " ".join(key[at : at + 4] for at in range(0, len(key), 4)), "link": link}


STEPS: dict[str, Callable[[Here, Submission], Result]] = {STEP: confirm}
SHOWN: dict[str, Callable[[Here], dict[str, Any]]] = {STEP: shown}
