"""S-ACTIVITY: the last 90 days in plain sentences, the newest first."""

from __future__ import annotations

from typing import Any

from idp.services import audit, clients
from idp.web import activity_words
from idp.web.account.contract import HOME, Member, Page, Part, Tools
from idp.web.account.devices import PATH as DEVICES
from idp.web.account.security import PASSWORD

PATH = f"{HOME}/activity"
PER_PAGE = 20


def activity(_tools: Tools, member: Member) -> dict[str, Any] | None:
    """Twenty sentences, and where the older ones are. None for an address that nobody was given."""
    before = member.query.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 16):
        return None
    found = audit.activity(
        member.account_id,
        events=activity_words.SENTENCES,
        before=int(before) if before else None,
        number=PER_PAGE + 1,
    )
    shown = found[:PER_PAGE]
    return {
        "events": [
            {"at": event.at, "text": activity_words.sentence(event.event), "service": _service(event.client)}
            for event in shown
        ],
        "older": f"{PATH}?before={shown[-1].id}" if len(found) > PER_PAGE else None,
        "newest": PATH if before else None,
        "devices": DEVICES,
        "password": PASSWORD,
    }


PARTS: tuple[Part, ...] = (Page(PATH, "activity", activity),)


def _service(client_id: str | None) -> str | None:
    client = clients.find(client_id) if client_id else None
    return client.name if client else None
