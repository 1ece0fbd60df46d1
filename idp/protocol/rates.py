"""A decision about how often something may be asked, as the protocol says it."""

from __future__ import annotations

from idp.protocol.errors import Throttled
from idp.rules.limits import LONGEST_WAIT, Allowed, Decision, Wait


def check_rate(decision: Decision) -> None:
    """Raise `Throttled` unless it may go on (SR-33)."""
    if not isinstance(decision, Allowed):
        raise Throttled(decision.seconds if isinstance(decision, Wait) else LONGEST_WAIT)
