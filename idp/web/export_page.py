"""A person's own data as a page to read and keep: no style sheet, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import render_template
from flask_babel import gettext

from idp.web.pages import moment

SECTIONS: dict[str, Callable[[], str]] = {
    "account": lambda: gettext("Your account"),
    "sign_in": lambda: gettext("How you sign in"),
    "identity": lambda: gettext("Who you are"),
    "identity_proofs": lambda: gettext("When you confirmed who you are"),
    "services": lambda: gettext("Services with access"),
    "access": lambda: gettext("What services have received"),
    "sign_ins": lambda: gettext("Where you have signed in"),
    "activity": lambda: gettext("Activity"),
    "known_browsers": lambda: gettext("Browsers in which you are known"),
    "waiting_messages": lambda: gettext("Messages on their way to you"),
    "wrong_tries": lambda: gettext("Wrong tries"),
}

NAMES: dict[str, Callable[[], str]] = {
    "id": lambda: gettext("Account number"),
    "email": lambda: gettext("Email address"),
    "status": lambda: gettext("Status"),
    "language": lambda: gettext("Language"),
    "time_zone": lambda: gettext("Time zone"),
    "opened_at": lambda: gettext("Opened"),
    "changed_at": lambda: gettext("Last changed"),
    "erased_at": lambda: gettext("Will be deleted"),
    "password_set_at": lambda: gettext("Password last changed"),
    "phone_number": lambda: gettext("Phone number"),
    "phone_takes_text_messages": lambda: gettext("The phone takes text messages"),
    "phone_confirmed_at": lambda: gettext("Phone number confirmed"),
    "authenticator_app_added_at": lambda: gettext("Authenticator app set up"),
    "passkeys": lambda: gettext("Passkeys"),
    "remembered_devices": lambda: gettext("Remembered devices"),
    "recovery_codes": lambda: gettext("Recovery codes"),
    "former_addresses": lambda: gettext("Addresses that were yours lately"),
    "changes_that_may_be_undone": lambda: gettext("Changes that can be undone"),
    "country": lambda: gettext("Country"),
    "national_number": lambda: gettext("National identity number"),
    "given_name": lambda: gettext("Given name"),
    "family_name": lambda: gettext("Family name"),
    "birthdate": lambda: gettext("Date of birth"),
    "known_to_eids_as": lambda: gettext("Known to the electronic ID as"),
    "eid": lambda: gettext("Electronic ID"),
    "level": lambda: gettext("Level"),
    "outcome": lambda: gettext("Outcome"),
    "began_at": lambda: gettext("Began"),
    "proved_at": lambda: gettext("Confirmed"),
    "ended_at": lambda: gettext("Ended"),
    "ends_at": lambda: gettext("Ends"),
    "service": lambda: gettext("Service"),
    "evidence": lambda: gettext("Evidence"),
    "may_see": lambda: gettext("May see"),
    "records": lambda: gettext("Records"),
    "since": lambda: gettext("Since"),
    "received": lambda: gettext("Received"),
    "at": lambda: gettext("At"),
    "given_at": lambda: gettext("Given"),
    "counts": lambda: gettext("Counts now"),
    "device": lambda: gettext("Device"),
    "event": lambda: gettext("Event"),
    "network": lambda: gettext("Network"),
    "reason": lambda: gettext("Reason"),
    "kind": lambda: gettext("Kind"),
    "channel": lambda: gettext("Channel"),
    "asked_for_at": lambda: gettext("Asked for"),
    "what": lambda: gettext("What"),
    "in_a_row": lambda: gettext("Wrong in a row"),
    "last_at": lambda: gettext("Last time"),
}


def drawn(found: Mapping[str, Any]) -> str:
    """The page. What is empty is said to be so, and nothing is left out that the JSON has."""
    sections = [(words(), _entries(found[name])) for name, words in SECTIONS.items()]
    made_at = datetime.fromisoformat(found["made_at"])
    return render_template("export/my-data.html", sections=sections, made_at=made_at, format=found["format"])


def _entries(section: Any) -> list[list[tuple[str, str]]]:
    if isinstance(section, int):
        return [[(gettext("Number"), str(section))]]
    entries = section if isinstance(section, list) else [section] if section else []
    return [[(NAMES[name](), _text(name, value)) for name, value in entry.items()] for entry in entries]


def _text(name: str, value: Any) -> str:
    match value:
        case None | [] | {}:
            return "–"
        case bool():
            return gettext("yes") if value else gettext("no")
        case list():
            return ", ".join(_text("", one) for one in value)
        case dict():
            return "; ".join(f"{key}: {_text('', one)}" for key, one in value.items())
        case str() if name.endswith("_at") or (name in ("at", "since") and value[:2] == "20"):
            return moment(datetime.fromisoformat(value))
    return str(value)
