"""S-HOME: each way to sign in, and what state it is in. S-EID: who the person was confirmed as, when and for whom."""

from __future__ import annotations

from typing import Any

from idp.rules.factor_policy import PHONE
from idp.services import (
    accounts,
    audit,
    clients,
    consents,
    credentials,
    identities,
    passkeys,
    phones,
    second_factors,
    sessions,
    undoing,
)
from idp.web import activity_words, locale
from idp.web.account.contract import HOME, Change, Member, Page, Part, Tools
from idp.web.account.language import spoken

PASSWORD = f"{HOME}/password"


def security(tools: Tools, member: Member) -> dict[str, Any]:
    """S-HOME: the state of each thing, in one row."""
    phones.settle(member.account_id)
    account, phone = accounts.by_id(member.account_id), credentials.phone_of(member.account_id)
    newest = audit.activity(member.account_id, events=activity_words.SENTENCES, number=1)
    ways = credentials.enrolled(member.account_id)
    codes = second_factors.recovery_codes_of(member.account_id)
    return {
        "passkeys": passkeys.count(member.account_id),
        "email": account.email if account else "",
        "password_set_at": credentials.password_set_at(member.account_id),
        "last_digits": phone.last_digits if phone else None,
        "ways": ways,
        "codes_left": codes.count if codes else None,
        "only_phone": not set(ways) - set(PHONE),
        "undoable": [change.kind for change in undoing.of_account(member.account_id)],
        "confirmed": next(iter(_confirmations(tools, member)), None),
        "last_activity": next((event.at for event in newest), None),
        "services": len(consents.services(member.account_id)),
        "language": locale.own_name(spoken(tools, member)),
        "devices": len(sessions.devices(tools.store, member.account_id)),
    }


def electronic_id(tools: Tools, member: Member) -> dict[str, Any]:
    """S-EID: which eID, when, and for which service. Never the number itself."""
    return {"confirmations": _confirmations(tools, member)}


PARTS: tuple[Part, ...] = (
    Page(HOME, "security", security),
    Page(f"{HOME}/electronic-id", "electronic-id", electronic_id),
    Change(PASSWORD, "change-password"),
)


def _confirmations(tools: Tools, member: Member) -> list[dict[str, Any]]:
    """Newest first. An eID or a client that is no longer here is named as well as can be."""
    connectors = tools.eids.connectors
    return [
        {
            "eid": connectors[found.eid].label if found.eid in connectors else found.eid,
            "at": found.proved_at,
            "service": client.client_name if (client := clients.find(found.client_id)) else None,
        }
        for found in identities.confirmations(member.account_id)
    ]
