"""S-APP and S-RECOVERY-CODES: what state they are in, and the ways into what changes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from idp.services import second_factors
from idp.web.account.contract import HOME, Act, Answer, Begin, Change, Member, Page, Part, Tools

APP = f"{HOME}/app"
REMOVE = f"{APP}/remove"
RECOVERY_CODES = f"{HOME}/recovery-codes"


def app(_tools: Tools, member: Member) -> dict[str, Any]:
    """When the app was set up, if it was."""
    return {"added_at": second_factors.app_added_at(member.account_id)}


def removing(_tools: Tools, member: Member) -> dict[str, Any] | None:
    """What is asked once before the app goes, and whether it may."""
    if second_factors.app_added_at(member.account_id) is None:
        return None
    return {"may": second_factors.can_lose(member.account_id, "totp")}


def remove(_tools: Tools, member: Member, _typed: Mapping[str, str]) -> Answer:
    """Remove the app, once its owner is proved. Not the last second step."""
    asked = removing(_tools, member)
    return Begin("remove-app", APP) if asked and asked["may"] else None


def recovery_codes(_tools: Tools, member: Member) -> dict[str, Any]:
    """That there are codes, and how many are left: never what they are."""
    return {"codes": second_factors.recovery_codes_of(member.account_id)}


PARTS: tuple[Part, ...] = (
    Page(APP, "authenticator-app", app),
    Change(f"{APP}/new", "add-app", APP),
    Page(REMOVE, "remove-app", removing),
    Act(REMOVE, remove),
    Page(RECOVERY_CODES, "recovery-codes", recovery_codes),
    Change(f"{RECOVERY_CODES}/new", "new-recovery-codes", RECOVERY_CODES),
)
