"""S-DATA: a person's own data as files, and the end of the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from idp.services import export
from idp.web import export_page
from idp.web.account.contract import HOME, Act, Answer, Begin, File, Handed, Member, Page, Part, Tools

PATH = f"{HOME}/data"
LEFT = f"{HOME}/left"
"""Where whoever closed an account is told so; nobody is signed in there."""


def data(_tools: Tools, member: Member) -> dict[str, Any]:
    """The two files, and the way to the end of the account."""
    return {"json": f"{PATH}/my-data.json", "html": f"{PATH}/my-data.html", "proved": member.proved_anew}


def as_json(_tools: Tools, member: Member) -> Handed | None:
    """For programs: another provider's, or the person's own."""
    found = export.of_account(member.account_id)
    if found is None:
        return None
    export.recorded(member.account_id)
    text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    return Handed("my-data.json", "application/json", text)


def as_html(_tools: Tools, member: Member) -> Handed | None:
    """For people: one page that needs nothing else."""
    found = export.of_account(member.account_id)
    if found is None:
        return None
    export.recorded(member.account_id)
    return Handed("my-data.html", "text/html", export_page.drawn(found))


def erase(tools: Tools, _member: Member) -> dict[str, Any]:
    """What goes, what stays elsewhere, and how long there is to change one's mind."""
    return {"days": tools.settings.retention.erasure_days}


def leave(_tools: Tools, _member: Member, _typed: Mapping[str, str]) -> Answer:
    """Close the account, once it is proved that its owner asks."""
    return Begin("leave", LEFT)


PARTS: tuple[Part, ...] = (
    Page(PATH, "data", data),
    File(f"{PATH}/my-data.json", as_json, PATH),
    File(f"{PATH}/my-data.html", as_html, PATH),
    Page(f"{PATH}/erase", "erase", erase),
    Act(f"{PATH}/erase/confirm", leave),
)
