"""The views that every journey uses: enter, look at a step, send a step. And what follows a journey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from idp.cookies import DAY, HALF_A_YEAR, YEAR, Cookies
from idp.interaction import Interactions, SignIn
from idp.journeys.engine import Engine
from idp.journeys.record import KEPT, Submission, Visitor
from idp.journeys.replies import Gone, Over, Reply, Shown, Stand, TooManyJourneys
from idp.journeys.showing import CHOOSE
from idp.services import accounts, sessions
from idp.settings import Settings
from idp.stores.shortlived.contract import ShortLived
from idp.web import errors, forms, notices, pages, texts, visitors
from idp.web.csrf import FormTokens
from idp.web.forms import OddForm
from idp.web.sign_out import signed_out

SEE_OTHER = 303
"""Never 307: a form's secrets would be sent on (SR-72)."""


@dataclass(frozen=True, slots=True)
class JourneyViews:
    """Thin shells over the engine; what a step means is not known here."""

    engine: Engine
    cookies: Cookies
    tokens: FormTokens
    settings: Settings
    store: ShortLived
    interactions: Interactions

    def blueprint(self) -> Blueprint:
        """The routes."""
        views = Blueprint("journey", __name__)
        views.register_error_handler(TooManyJourneys, self.busy)
        views.get("/journey/<journey_id>")(self.enter)
        views.get("/journey/<journey_id>/<journey>", endpoint="enter_journey")(self.enter)
        views.get("/journey/<journey_id>/<journey>/<step>")(self.show)
        views.post("/journey/<journey_id>/<journey>/<step>")(self.submit)
        views.get("/journey/<journey_id>/over", endpoint="over")(self.enter)
        views.post("/journey/<journey_id>/over")(self.leave)
        views.get("/journey/<journey_id>/<journey>/lost-phone")(self.lost_phone)
        return views

    def enter(self, journey_id: str, journey: str | None = None) -> Response:
        """Lead to the step this person stands at."""
        visitor = visitors.visitor(self.cookies)
        if visitor is None:
            return self._without_cookie(journey_id)
        return self._answer(self.engine.enter(journey_id, journey, visitor), journey_id, visitor)

    def show(self, journey_id: str, journey: str, step: str) -> Response:
        """The page of a step."""
        visitor = visitors.visitor(self.cookies)
        if visitor is None:
            return self._without_cookie(journey_id)
        way = CHOOSE if "other-way" in request.args else request.args.get("way", "")
        return self._answer(self.engine.show(journey_id, journey, step, visitor, way=way), journey_id, visitor)

    def submit(self, journey_id: str, journey: str, step: str) -> Response:
        """Every page of every journey posts here."""
        visitor = visitors.visitor(self.cookies)
        if visitor is None:
            return self._cookies_wanted(journey_id)
        try:
            typed = forms.typed(request)
        except OddForm as problem:
            raise BadRequest from problem
        form = self.tokens.read(typed.get("form", ""), visitor.browser, visitors.place(journey_id, journey, step))
        if form is None:
            kept = {name: value for name, value in typed.items() if name in KEPT}
            return self._answer(self.engine.stale(journey_id, journey, step, visitor, kept), journey_id, visitor)
        sent = Submission(
            typed=typed,
            do=typed.get("do", ""),
            origin=visitor.origin,
            device=visitor.device,
            user_agent=request.user_agent.string[:256],
            locale=visitor.locale,
            age=form.age,
            may_offer=bool(typed.get("offer")) and self.cookies.no_passkeys.read(request) is None,
        )
        reply = self.engine.submit(journey_id, journey, step, visitor, form=form.nonce, sent=sent)
        response = self._answer(reply, journey_id, visitor)
        if sent.do == "not-now":
            self.cookies.no_passkeys.keep(response, "1", max_age=HALF_A_YEAR)
        return response

    def leave(self, journey_id: str) -> Response:
        """P-ALREADY's two buttons: sign out, or go on as somebody else."""
        visitor = visitors.visitor(self.cookies)
        if visitor is None or self.tokens.read(request.form.get("form", ""), visitor.browser, journey_id) is None:
            return redirect(f"/journey/{journey_id}", SEE_OTHER)
        session = sessions.find(self.store, self.settings.sessions, visitor.session_id)
        if session is not None:
            sessions.end(session.sid)
        wanted = self.engine.wanted(journey_id, visitor)
        start = wanted.client.start_uri if wanted else None
        switching = request.form.get("do") == "switch-user"
        response = redirect((start or "/") if switching else f"/journey/{journey_id}/over", SEE_OTHER)
        self.cookies.clear_session(response)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'  # nothing stays behind: SR-108
        return response

    def lost_phone(self, journey_id: str, journey: str) -> Response:
        """P-LOST-PHONE: which ways are open. It names ways, never a number or an address."""
        visitor = visitors.visitor(self.cookies)
        if visitor is None:
            return self._without_cookie(journey_id)
        reply = self.engine.show(journey_id, journey, "second-step", visitor, way="lost-phone")
        return self._answer(reply, journey_id, visitor)

    def busy(self, problem: TooManyJourneys) -> Response:
        """For whoever begins more journeys than people could walk."""
        return errors.pause(problem.seconds)

    def _without_cookie(self, journey_id: str) -> Response:
        """One redirect tells a browser that refuses cookies from one that is new here (page spec §7)."""
        if "cookies" in request.args:
            return self._cookies_wanted(journey_id)
        response = redirect(f"/journey/{journey_id}?cookies=1", SEE_OTHER)
        self.cookies.ensure_browser(request, response)
        return response

    def _cookies_wanted(self, journey_id: str) -> Response:
        """P-COOKIES. The journey belongs to a browser that was never recognised, so it begins anew at the client."""
        again = self.interactions.start_of(journey_id) or f"/journey/{journey_id}"
        return pages.render({"page": "cookies", "links": {"again": again}})

    def _answer(self, reply: Reply, journey_id: str, visitor: Visitor) -> Response:
        match reply:
            case Stand(url=url, session_id=session_id, remembered=remembered):
                response = redirect(url, SEE_OTHER)
                if session_id is not None:
                    self.cookies.set_session(response, session_id)
                    self.cookies.known.keep(response, visitor.known, max_age=YEAR)
                if remembered is not None:
                    self.cookies.device.keep(response, remembered, max_age=self.settings.sessions.remember_device * DAY)
                return response
            case Shown():
                return self._draw(reply, visitor)
            case Over(wanted=wanted):
                return self._already(journey_id, wanted, visitor)
            case Gone(start_uri=start_uri):
                return pages.render({"page": "expired", "status": 410, "links": {"start": start_uri or "/"}})

    def _already(self, journey_id: str, wanted: SignIn, visitor: Visitor) -> Response:
        session = sessions.find(self.store, self.settings.sessions, visitor.session_id)
        account = accounts.by_id(session.account_id) if session else None
        if account is None:  # it was finished, and the sign-in that came of it is over
            return signed_out(wanted.client.client_id)
        return pages.render(
            {
                "page": "already",
                "form": self.tokens.make(visitor.browser, journey_id),
                "action": f"/journey/{journey_id}/over",
                "shown": {"email": account.email},
                "service": wanted.client.name,
                "client_origin": wanted.client.origin,
                "links": {"continue": wanted.client.home_uri or wanted.client.start_uri or "/"},
            }
        )

    def _draw(self, shown: Shown, visitor: Visitor) -> Response:
        base = f"/journey/{shown.journey_id}"
        place = visitors.place(shown.journey_id, shown.journey, shown.step)
        response = pages.render(
            {
                "page": shown.page,
                "status": shown.status,
                "journey_id": shown.journey_id,
                "journey": shown.journey,
                "form": self.tokens.make(visitor.browser, place),
                "action": f"{base}/{shown.journey}/{shown.step}",
                "errors": [
                    {"field": fault.field, "text": texts.error_text(fault.key, fault.values)} for fault in shown.faults
                ],
                "typed": dict(shown.typed),
                "shown": dict(shown.values),
                "notices": [{"kind": notice.kind, "text": notices.text(notice)} for notice in shown.notices],
                "service": shown.wanted.client.name,
                "client_origin": shown.wanted.client.origin,
                "eid_origins": shown.values.get("origins", ()),
                "links": _links(base, shown),
            }
        )
        if "seconds" in shown.values:
            response.headers["Retry-After"] = str(shown.values["seconds"])
        return response


def _links(base: str, shown: Shown) -> dict[str, Any]:
    here = f"{base}/{shown.journey}"
    new = "new-" if shown.step.startswith("new-") else ""
    return {
        "sign_in": f"{base}/sign-in",
        "sign_up": f"{base}/sign-up",
        "forgot": f"{base}/reset",
        "change_email": f"{here}/{new}email",
        "change_number": f"{here}/{new}phone",
        "second_step": f"{here}/second-step",
        "other_way": f"{here}/second-step?other-way",
        "lost_phone": f"{base}/{'sign-in' if shown.journey.startswith('lost-phone') else shown.journey}/lost-phone",
        "recover": f"{base}/lost-phone",
        "recover_by": f"{base}/{'reset' if shown.journey == 'reset' else 'lost-phone'}/second-step",
        "continue": here,
        "back": shown.wanted.client.start_uri or "/",
        "code": f"{here}/{shown.step}",
        "other_eid": f"{here}/eid?other-way",
        "eid_status": f"/eid/status/{shown.journey_id}",
    }
