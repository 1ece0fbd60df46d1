"""Remembering a browser for the next sign-in, and recognising one (SR-43, page spec §8.1 P-DEVICE-TRUST)."""

from __future__ import annotations

from collections.abc import Sequence

from idp.journeys.facts import Facts, StepProof
from idp.journeys.record import Here, Submission, Visitor
from idp.rules.assurance import REMEMBERED, Proof
from idp.rules.factor_policy import SECOND_STEP
from idp.services import remembered_devices

WISH = "remember"
"""The box on the page, and the word by which the journey keeps that it was ticked."""

REMEMBERS = tuple(name for name in SECOND_STEP if name != "recovery_code")
"""What a device may be remembered for. A recovery code is for the day when nothing else is at hand."""


def days(here: Here) -> int:
    """For how many days this page may offer to remember the browser; 0 where it may not."""
    return here.tools.settings.sessions.remember_device if here.journey == "sign-in" else 0


def wished(here: Here, submission: Submission, facts: Facts) -> Facts:
    """With the wish, where it was ticked on a page that offers it."""
    return facts.kept("second-step", wish=WISH) if submission.typed.get(WISH) and days(here) else facts


def remembered(here: Here, visitor: Visitor, account_id: str, given: Sequence[Proof]) -> str | None:
    """What the browser is to hold from now on, if it is to be remembered for what was just given in it."""
    proved = next((proof for proof in reversed(given) if proof.method in REMEMBERS), None)
    if proved is None or not days(here) or "second-step" not in here.facts.bound:
        return None
    held = visitor.remembered
    return remembered_devices.remember(account_id, held=held, device=visitor.device, proved=proved, days=days(here))


def recognised(here: Here, visitor: Visitor, account_id: str, given: Sequence[Proof]) -> list[Proof]:
    """The second step that this browser recalls, where none was given. It counts no longer than a session may last."""
    found = _recalled(here)
    if found is None or not given or visitor.remembered is None or any(one.method in SECOND_STEP for one in given):
        return []
    remembered_devices.recognised(account_id, visitor.remembered)
    until = min(found.until, here.now + here.tools.proof_life)
    return [Proof(method=REMEMBERED, at=found.at, until=until)]


def _recalled(here: Here) -> StepProof | None:
    return next((one for one in reversed(here.situation.facts.proofs) if one.method == REMEMBERED), None)
