"""S-EMAIL, S-PHONE: change the address, change or remove the phone, and undo what may still be undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from idp.services import credentials, phones, undoing
from idp.web.account.contract import HOME, Act, Answer, Begin, Change, Member, Page, Part, Tools

UNDO = f"{HOME}/undo"
REMOVE = f"{HOME}/phone/remove"


def undoable(_: Tools, member: Member) -> dict[str, Any]:
    """What was changed, and until when it may be undone; of a number its last two digits and no more."""
    phones.settle(member.account_id)
    return {
        "changes": [
            {
                "id": one.id,
                "kind": one.kind,
                "before": one.values.get("typed", ""),
                "ending": one.values.get("e164", "")[-2:],
                "at": one.begun_at,
                "until": one.until,
            }
            for one in undoing.of_account(member.account_id)
        ]
    }


def undo(_: Tools, member: Member, __: Mapping[str, str]) -> Answer:
    """The owner is proved first: it changes how one signs in, too (SR-40)."""
    change_id = member.route["change_id"]
    known = any(one.id == change_id for one in undoing.of_account(member.account_id))
    return Begin("undo-change", HOME, change_id) if known else None


def phone_to_remove(_: Tools, member: Member) -> dict[str, Any] | None:
    """Asks once, or says what must be set up before."""
    phone = credentials.phone_of(member.account_id)
    if phone is None:
        return None
    return {"last_digits": phone.last_digits, "may_go": phones.may_go(member.account_id)}


def remove_phone(_: Tools, __: Member, ___: Mapping[str, str]) -> Answer:
    """Whether it may go is judged once more when it goes."""
    return Begin("remove-phone", HOME)


PARTS: tuple[Part, ...] = (
    Change(f"{HOME}/email", "change-email"),
    Change(f"{HOME}/phone", "change-phone"),
    Page(REMOVE, "remove-phone", phone_to_remove),
    Act(REMOVE, remove_phone),
    Page(UNDO, "undo-changes", undoable),
    Act(f"{UNDO}/<change_id>", undo),
)
