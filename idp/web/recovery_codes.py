"""Recovery codes as a text file, by the server: for whoever has no script, and for a safe place (page spec §11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import Blueprint, current_app, redirect, send_file
from flask_babel import format_date, gettext
from werkzeug.wrappers import Response

from idp.cookies import Cookies
from idp.journeys.engine import Engine
from idp.journeys.replies import Shown
from idp.web.journey import SEE_OTHER
from idp.web.visitors import visitor

JOURNEY, STEP = "new-recovery-codes", "save-codes"


@dataclass(frozen=True, slots=True)
class RecoveryCodeViews:
    """One view: the file of the list that is being shown."""

    engine: Engine
    cookies: Cookies

    def blueprint(self) -> Blueprint:
        """The route."""
        views = Blueprint("recovery_codes", __name__)
        views.get(f"/journey/<journey_id>/{JOURNEY}/{STEP}/file")(self.file)
        return views

    def file(self, journey_id: str) -> Response:
        """The codes, while their page is open to this person; else where the person stands."""
        who = visitor(self.cookies)
        found = self.engine.show(journey_id, JOURNEY, STEP, who) if who else None
        if not isinstance(found, Shown) or found.page != STEP:
            return redirect(f"/journey/{journey_id}", SEE_OTHER)
        service: str = current_app.extensions["settings"].service.name
        sheet = _sheet(service, found.values)
        name = f"reservekoder-{'-'.join(service.split())}.txt"
        response = send_file(BytesIO(sheet.encode()), mimetype="text/plain", as_attachment=True, download_name=name)
        response.headers["Cache-Control"] = "no-store"
        return response


def _sheet(service: str, shown: Mapping[str, Any]) -> str:
    numbered = [f"{at:2}. {code}" for at, code in enumerate(shown["codes"], start=1)]
    head = (gettext("Recovery codes for %(service)s", service=service), shown["address"])
    foot = (gettext("Each code works once."), gettext("Lost the list? Sign in, choose Security, and make new codes."))
    return "\n".join((*head, format_date(shown["made_at"], "long"), "", *numbered, "", *foot, ""))
