"""S-PASSKEYS: one card for each passkey, a name of one's own for it, and removing it (page spec §11)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from idp.rules.factor_policy import leaves_a_second_step
from idp.services import accounts, credentials, passkeys
from idp.services.passkeys import Listed
from idp.web.account.contract import HOME, Act, Answer, Begin, Change, Member, Page, Part, Rejected, Tools, Went

PATH = f"{HOME}/passkeys"
ONE = f"{PATH}/<id>"
LONGEST_NAME = 60


def listed(tools: Tools, member: Member) -> dict[str, Any]:
    """Every passkey; and for the browser, which of those that it keeps still count (Signal API)."""
    found = passkeys.listed(member.account_id)
    on = tools.settings.relying_party_id is not None
    return {"passkeys": found, "on": on, "passkey": on, "signals": _signals(tools, member, found)}


def one(_: Tools, member: Member) -> dict[str, Any] | None:
    """One of them, and what one signs in with when it is gone."""
    found = passkeys.listed(member.account_id)
    chosen = next((passkey for passkey in found if passkey.id == member.route["id"]), None)
    if chosen is None:
        return None
    left = [name for name in credentials.enrolled(member.account_id) if name != "passkey" or len(found) > 1]
    return {"one": chosen, "left": left, "is_last": len(found) == 1, "may_go": leaves_a_second_step(left)}


def rename(_: Tools, member: Member, typed: Mapping[str, str]) -> Answer:
    """Another name; with none, the public name of who keeps it."""
    name = " ".join(typed.get("nickname", "").split())
    if len(name) > LONGEST_NAME:
        return Rejected(NAME, (("nickname", "E-NICK-LONG", {}),), {"nickname": name})
    return Went(PATH, "passkey-renamed") if passkeys.rename(member.account_id, member.route["id"], name) else None


def remove(tools: Tools, member: Member, _typed: Mapping[str, str]) -> Answer:
    """The owner is proved first; then it goes (SR-40)."""
    if one(tools, member) is None:
        return None
    return Begin("remove-passkey", PATH, subject=member.route["id"])


NAME = Page(f"{ONE}/name", "passkey-name", one)

PARTS: tuple[Part, ...] = (
    Page(PATH, "passkeys", listed),
    Change(f"{PATH}/new", "add-passkey", back=PATH),
    NAME,
    Act(NAME.path, rename),
    Page(f"{ONE}/remove", "passkey-remove", one),
    Act(f"{ONE}/remove", remove),
)


def _signals(tools: Tools, member: Member, found: list[Listed]) -> str:
    """The two signals as the script hands them on: the ids that count, and what the account is called now."""
    domain, account = tools.settings.relying_party_id, accounts.by_id(member.account_id)
    if domain is None or account is None or not found:
        return ""
    who = {"rpId": domain, "userId": _encoded(passkeys.owner(member.account_id))}
    ids = [_encoded(passkey.credential_id) for passkey in found]
    return json.dumps(
        {
            "signalAllAcceptedCredentials": {**who, "allAcceptedCredentialIds": ids},
            "signalCurrentUserDetails": {**who, "name": account.email, "displayName": account.email},
        }
    )


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
