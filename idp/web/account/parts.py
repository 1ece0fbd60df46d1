"""Every page, act and change of «Min konto», in the order of page spec §11."""

from __future__ import annotations

from idp.web.account import activity, codes, contact, data, devices, language, passkeys, security, services
from idp.web.account.contract import Part

PARTS: tuple[Part, ...] = (
    *security.PARTS,
    *passkeys.PARTS,
    *contact.PARTS,
    *codes.PARTS,
    *devices.PARTS,
    *activity.PARTS,
    *services.PARTS,
    *language.PARTS,
    *data.PARTS,
)
