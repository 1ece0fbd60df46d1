"""A code by voice call."""

from __future__ import annotations

from idp.factors.one_time_code import OneTimeCode
from idp.settings import Codes, Limits
from idp.stores.shortlived.contract import ShortLived


def voice(settings: Codes, limits: Limits, store: ShortLived) -> OneTimeCode:
    """Six digits by voice call, for whichever journey asks."""
    return OneTimeCode("voice", "voice", settings.phone_lifetime, settings, limits, store)
