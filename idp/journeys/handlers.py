"""What becomes of a form, by step. Leaving a change of the account is the same at every one of its steps."""

from __future__ import annotations

from collections.abc import Callable

from idp.journeys import (
    answering,
    app_setup,
    identifying,
    leaving,
    passkeys,
    passwords,
    proving,
    recovering,
    recovery_codes,
)
from idp.journeys.record import Declined, Here, Rejected, Result, Submission

STEPS: dict[str, Callable[[Here, Submission], Result]] = {
    **answering.ANSWERS,
    **proving.STEPS,
    **passwords.STEPS,
    **identifying.STEPS,
    **app_setup.STEPS,
    **recovery_codes.STEPS,
    **passkeys.STEPS,
    **recovering.STEPS,
    **leaving.STEPS,
}

CANCEL = "cancel"


def answered(here: Here, submission: Submission) -> Result:
    """What this form comes to."""
    if submission.do == CANCEL and here.record.wanted.change == here.journey:
        return Declined()
    result = STEPS[here.step](here, submission) if here.step in STEPS else Rejected()
    return passkeys.offered(here, submission, result)
