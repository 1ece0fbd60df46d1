"""Every page, act and change of «Min konto», in the order of page spec §11."""

from __future__ import annotations

from idp.web.account import contact, devices, security
from idp.web.account.contract import Part

PARTS: tuple[Part, ...] = (*security.PARTS, *contact.PARTS, *devices.PARTS)
