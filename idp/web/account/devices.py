"""S-DEVICES: where the account is signed in, and signing out there, or everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from idp.services import remembered_devices, sessions
from idp.web import countries, locale
from idp.web.account.contract import HOME, Act, Answer, Member, Page, Part, SignedOut, Tools, Went

PATH = f"{HOME}/devices"


def devices(tools: Tools, member: Member) -> dict[str, Any]:
    """One entry for each sign-in, this one first."""
    found = sessions.devices(tools.store, member.account_id)
    return {
        "devices": sorted(found, key=lambda one: one.sid != member.sid),
        "this": member.sid,
        "places": {one.sid: _about_where(tools, one.network) for one in found},
        "remembered": remembered_devices.of_account(member.account_id),
    }


def end(_tools: Tools, member: Member, typed: Mapping[str, str]) -> Answer:
    """Sign one device out. One that is signed out already stays so."""
    sessions.end_one(member.account_id, typed.get("sign-in", ""))
    return Went(PATH, "signed-out-one")


def forget(_tools: Tools, member: Member, typed: Mapping[str, str]) -> Answer:
    """Ask for codes on a device again."""
    remembered_devices.forget(member.account_id, typed.get("device", ""))
    return Went(PATH, "device-forgotten")


def end_others(_tools: Tools, member: Member, _typed: Mapping[str, str]) -> Answer:
    """Sign out everywhere but here, and ask for codes everywhere."""
    sessions.end_all(member.account_id, except_sid=member.sid, reason="signed out all others")
    return Went(PATH, "signed-out-others")


def end_all(_tools: Tools, member: Member, _typed: Mapping[str, str]) -> Answer:
    """Sign out everywhere, here too, and let every service hear of it."""
    return SignedOut(sessions.sign_out_everywhere(member.account_id))


def _about_where(tools: Tools, network: str) -> str:
    """Town and country in the reader's language; empty when no place is known."""
    language = locale.current()
    place = tools.places.near(network, language)
    if place is None:
        return ""
    return ", ".join(part for part in (place.town, countries.name(place.country, language)) if part)


PARTS: tuple[Part, ...] = (
    Page(PATH, "devices", devices),
    Act(f"{PATH}/end", end),
    Act(f"{PATH}/forget", forget),
    Act(f"{PATH}/end-others", end_others),
    Act(f"{PATH}/end-all", end_all),
)
