"""Where a browser comes back from an eID, and how the waiting page asks how it goes."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, jsonify, redirect, request
from werkzeug.wrappers import Response

from idp.cookies import Cookies
from idp.services.eids import Eids
from idp.web import eid_view, locale, pages

SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class EidViews:
    """Two addresses; what an answer means is the service's."""

    eids: Eids
    cookies: Cookies

    def blueprint(self) -> Blueprint:
        """The routes."""
        views = Blueprint("eid", __name__)
        views.get("/eid/<name>/return")(self.returned)
        views.get("/eid/status/<journey_id>")(self.status)
        return views

    def returned(self, name: str) -> Response:
        """Back from the provider. Only the browser that began may go on; any other is told where to look (rule 2)."""
        browser = self.cookies.browser(request)
        found = self.eids.returned(name, request.args.to_dict(), browser=browser)
        if found is None:
            return pages.render({"page": "expired", "status": 410, "links": {"start": "/"}})
        if found.browser != browser:
            return pages.render({"page": "eid-elsewhere", "status": 403})
        onward = "/lost-phone-eid" if found.recovers else ""
        return redirect(f"/journey/{found.journey_id}{onward}", SEE_OTHER)

    def status(self, journey_id: str) -> Response:
        """How it goes, for the page's script: asked every other second, of this very browser's attempt only."""
        found = self.eids.of_journey(journey_id)
        if found is None or found.browser != self.cookies.browser(request):
            return jsonify({"over": True})
        self.eids.poll(found)
        now = self.eids.of_journey(journey_id)
        if now is None or not now.is_open:
            return jsonify({"over": True})
        view = self.eids.view(now, locale=locale.current())
        answer = jsonify({"over": False, "qr": eid_view.drawn(view.qr), "hint": eid_view.hint(view.hint)})
        answer.headers["Cache-Control"] = "no-store"
        return answer
