"""A code by e-mail. It proves an address and counts for no level (SR-22)."""

from __future__ import annotations

from idp.factors.one_time_code import OneTimeCode
from idp.settings import Codes, Limits
from idp.stores.shortlived.contract import ShortLived


def email_code(settings: Codes, limits: Limits, store: ShortLived) -> OneTimeCode:
    """Six digits by e-mail: longer to prove an address, shorter to reset."""
    shorter = {"reset": settings.reset_lifetime}
    return OneTimeCode("email_code", "email", settings.address_lifetime, settings, limits, store, shorter)
