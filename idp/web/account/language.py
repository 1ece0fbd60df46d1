"""S-LANGUAGE: the language we speak to the person, and the zone of clock times, on pages and in notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel.dates import get_timezone_location

from idp.services import accounts
from idp.web import countries, locale
from idp.web.account.contract import HOME, Act, Answer, Member, Page, Part, Rejected, Tools, Went

PATH = f"{HOME}/language"


def language(tools: Tools, member: Member) -> dict[str, Any]:
    """The languages by their own names, and the zones of the countries whose people we serve."""
    account = accounts.by_id(member.account_id)
    chosen = (account.time_zone if account else None) or tools.settings.service.time_zone
    return {
        "languages": [(tag, locale.own_name(tag)) for tag in tools.settings.service.languages],
        "language": spoken(tools, member),
        "zones": _zones(tools, chosen),
        "zone": chosen,
    }


def spoken(tools: Tools, member: Member) -> str:
    """The language of the account, as far as it is offered."""
    account = accounts.by_id(member.account_id)
    offered = tools.settings.service.languages
    return locale.lookup([account.locale] if account else [], offered) or locale.current()


def save(tools: Tools, member: Member, typed: Mapping[str, str]) -> Answer:
    """Keep both. The page that follows speaks the language that was chosen."""
    tag, zone = typed.get("language", ""), typed.get("time-zone", "")
    faults: list[tuple[str, str, Mapping[str, str | int]]] = [
        (at, "E-CHOICE", {})
        for at, known in (
            ("language", tag in tools.settings.service.languages),
            ("time-zone", zone in dict(_zones(tools, tools.settings.service.time_zone))),
        )
        if not known
    ]
    if faults:
        return Rejected(SHOWN, tuple(faults))
    accounts.prefer(member.account_id, locale=tag, time_zone=zone)
    return Went(f"{HOME}?language={tag}", "preferences-saved")


SHOWN = Page(PATH, "language", language)
PARTS: tuple[Part, ...] = (SHOWN, Act(f"{PATH}/save", save))


def _zones(tools: Tools, chosen: str) -> list[tuple[str, str]]:
    """Each zone by its city, in the order of the language."""
    tag = locale.current()
    names = {chosen, *countries.time_zones(tools.settings.phones.countries)}
    return sorted(
        ((name, str(get_timezone_location(name, locale=tag, return_city=True))) for name in names),
        key=lambda one: countries.alphabetical(one[1], tag),
    )
