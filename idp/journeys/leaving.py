"""Signing in to an account that will be erased: its owner may keep it, and do nothing else (SR-126)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from idp.journeys.record import Accepted, Here, Rejected, Result, Submission
from idp.services import erasure

UNDO = "undo"


def answered(here: Here, submission: Submission) -> Result:
    """Keep the account. Both factors are proved by now; the sign-in goes on where it was to go."""
    if submission.do != UNDO or here.situation.account_id is None:
        return Rejected()
    erasure.take_back(here.situation.account_id)
    return Accepted(lambda facts: facts)


def shown(here: Here) -> dict[str, Any]:
    """The day on which it will be erased."""
    return {"on": erasure.due_at(here.situation.account_id or "")}


STEPS: dict[str, Callable[[Here, Submission], Result]] = {"leaving": answered}
