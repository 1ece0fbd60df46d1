"""A code by text message."""

from __future__ import annotations

from idp.factors.one_time_code import OneTimeCode
from idp.settings import Codes, Limits
from idp.stores.shortlived.contract import ShortLived


def sms(settings: Codes, limits: Limits, store: ShortLived) -> OneTimeCode:
    """Six digits by text message, for whichever journey asks."""
    return OneTimeCode("sms", "sms", settings.phone_lifetime, settings, limits, store)
