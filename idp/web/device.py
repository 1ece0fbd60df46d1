"""Deciding here what a client asks for elsewhere (P-DEVICE-CODE): type the code, sign in, look who asks, decide.

A code that comes with the address only fills the field in: whoever follows a link that they were sent still has to
send it, to sign in and to decide (RFC 8628 §3.3.1, §5.4). Nothing happens by a GET.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from idp import clock
from idp.cookies import Cookies
from idp.interaction import Approve, ClientFace, Done, Interactions, SignIn
from idp.journeys.record import Notice
from idp.rules import user_codes
from idp.rules.assurance import Proof, assess, reaches, since
from idp.rules.factor_policy import accepts
from idp.rules.identifiers import Malformed
from idp.rules.limits import Wait
from idp.services import accounts, clients, decoupled, sessions
from idp.services.clients import Client
from idp.services.decoupled import DecoupledRequest
from idp.settings import Settings
from idp.stores.shortlived.contract import ShortLived
from idp.web import forms, notices, pages, texts
from idp.web.csrf import FormTokens
from idp.web.forms import OddForm

SEE_OTHER = 303
REJECTED, LIMITED, FORBIDDEN, GONE = 422, 429, 403, 410
PATH = "/device"
RESUME_AT = f"{PATH}/resume"
FIELD = "user-code"


@dataclass(frozen=True, slots=True)
class DeviceViews:
    """P-DEVICE-CODE: its three pages."""

    settings: Settings
    store: ShortLived
    interactions: Interactions
    cookies: Cookies
    tokens: FormTokens

    def blueprint(self) -> Blueprint:
        """The routes."""
        views = Blueprint("device", __name__)
        views.get(PATH)(self.code)
        views.post(PATH)(self.typed)
        views.get(f"{RESUME_AT}/<interaction_id>")(self.resume)
        views.get(f"{PATH}/<interaction_id>")(self.ask)
        views.post(f"{PATH}/<interaction_id>")(self.decide)
        return views

    def code(self) -> Response:
        """The field for the code, filled in where the address has one."""
        browser = self.cookies.browser(request)
        if browser is None:
            return self._without_cookie()
        return self._field(browser, typed=_given(request.args.get("user_code", "")))

    def typed(self) -> Response:
        """A code: the person who typed it signs in, before they hear what it is for."""
        browser = self.cookies.browser(request)
        if browser is None:
            return pages.render({"page": "cookies", "links": {"again": PATH}})
        try:
            fields = forms.typed(request)
        except OddForm as problem:
            raise BadRequest from problem
        typed = fields.get(FIELD, "")
        if self.tokens.read(fields.get("form", ""), browser, PATH) is None:
            return self._field(browser, typed=typed, stale=True)
        try:
            code = user_codes.user_code(typed)
        except Malformed as problem:
            return self._field(browser, typed=typed, error=texts.error_text(problem.key), status=REJECTED)
        decision = decoupled.may_type(self.store, self.settings.limits, forms.origin(request))
        if isinstance(decision, Wait):
            return self._limited(browser, typed, decision.seconds)
        found = decoupled.of_user_code(code)
        client = clients.find(found.client_id) if found else None
        if found is None or client is None:
            return self._field(browser, typed=typed, error=texts.error_text("E-USER-CODE-WRONG"), status=REJECTED)
        return self._sign_in(found, client, browser)

    def resume(self, interaction_id: str) -> Response:
        """After the sign-in: on to the question, for whom it is for."""
        browser = self.cookies.browser(request)
        taken = self.interactions.take(interaction_id, browser=browser, resume_at=RESUME_AT) if browser else None
        if browser is None or taken is None or not isinstance(taken.wanted, SignIn):
            return redirect(f"/journey/{interaction_id}", SEE_OTHER)
        found = decoupled.by_id(taken.request.decode())
        session = sessions.find(self.store, self.settings.sessions, self.cookies.session_id(request))
        if found is None or session is None or not isinstance(taken.outcome, Done):
            return redirect(PATH, SEE_OTHER)
        if found.account_id not in (None, session.account_id):  # whose it is, is not told
            return _result("other-account", found, taken.wanted.client, status=FORBIDDEN)
        wanted = Approve(client=taken.wanted.client, request_id=found.id, account_id=session.account_id)
        return redirect(f"{PATH}/{self.interactions.open(wanted, b'', browser=browser)}", SEE_OTHER)

    def ask(self, interaction_id: str) -> Response:
        """Who asks, from where, for what; or what was decided."""
        browser = self.cookies.browser(request)
        wanted, found = self._asked(interaction_id, browser)
        if browser is None or wanted is None or found is None:
            return redirect(PATH, SEE_OTHER)
        state = decoupled.state(found)
        if state != "waiting":
            return _result(state, found, wanted.client, status=GONE if state == "expired" else 200)
        account = accounts.by_id(wanted.account_id)
        return pages.render(
            {
                "page": "device-approve",
                "form": self.tokens.make(browser, interaction_id),
                "action": f"{PATH}/{interaction_id}",
                "service": wanted.client.name,
                "shown": {
                    "kind": found.kind,
                    "client_name": wanted.client.name,
                    "email": account.email if account else "",
                    "scopes": found.scope.split(),
                    "records": found.details,
                    "message": found.said.binding_message,
                    "network": found.network,
                    "same_network": found.network == forms.origin(request).network,
                    "asked_at": found.created_at,
                },
            }
        )

    def decide(self, interaction_id: str) -> Response:
        """Approve or reject, in the session that was asked, as strong as is wanted still."""
        browser = self.cookies.browser(request)
        wanted, found = self._asked(interaction_id, browser)
        client = clients.find(found.client_id) if found else None
        session = sessions.find(self.store, self.settings.sessions, self.cookies.session_id(request))
        if browser is None or wanted is None or found is None or client is None or session is None:
            return redirect(PATH, SEE_OTHER)
        if session.account_id != wanted.account_id:
            return redirect(PATH, SEE_OTHER)
        here = redirect(f"{PATH}/{interaction_id}", SEE_OTHER)
        if self.tokens.read(request.form.get("form", ""), browser, interaction_id) is None:
            return here
        match request.form.get("do"):
            case "approve":
                assurance = assess(_young(session.proofs, found, client), clock.now())
                if assurance is None or not reaches(assurance.acr, found.level):  # a proof has run out meanwhile
                    return redirect(PATH, SEE_OTHER)
                decoupled.approve(self.store, found, client, session, assurance)
            case "reject":
                decoupled.reject(found, session)
        return here

    # How it is done

    def _field(
        self, browser: str, *, typed: str = "", error: str = "", status: int = 200, stale: bool = False
    ) -> Response:
        """The page with the field. What was typed stays: the code names a request, and proves nothing of anybody."""
        return pages.render(
            {
                "page": "device-code",
                "status": status,
                "form": self.tokens.make(browser, PATH),
                "action": PATH,
                "typed": {FIELD: typed},
                "kept_query": f"{urlencode({'user_code': code})}&" if (code := _given(typed)) else "",
                "errors": [{"field": FIELD, "text": error}] if error else [],
                "notices": [{"kind": "info", "text": notices.text(Notice("info", "stale"))}] if stale else [],
            }
        )

    def _limited(self, browser: str, typed: str, seconds: int) -> Response:
        words = texts.error_text("E-WAIT", {"n": -(-seconds // 60)})
        response = self._field(browser, typed=typed, error=words, status=LIMITED)
        response.headers["Retry-After"] = str(seconds)
        return response

    def _without_cookie(self) -> Response:
        """One redirect tells a browser that refuses cookies from one that is new here (page spec §7)."""
        if "cookies" in request.args:
            return pages.render({"page": "cookies", "links": {"again": PATH}})
        code = _given(request.args.get("user_code", ""))
        response = redirect(f"{PATH}?{urlencode({'cookies': '1', **({'user_code': code} if code else {})})}", SEE_OTHER)
        self.cookies.ensure_browser(request, response)
        return response

    def _sign_in(self, found: DecoupledRequest, client: Client, browser: str) -> Response:
        """The ordinary journey; only as its account, where the request is about one."""
        face = ClientFace(
            client_id=client.client_id,
            name=client.name,
            start_uri=PATH,
            home_uri=PATH,
            first_party=client.first_party,
            unverified=client.registered_itself,
        )
        wanted = SignIn(
            client=face,
            level=found.level,
            proofs_since=_since(found, client),
            second_factors=client.accepted_second_factors,
            account_id=found.account_id,
            resume_at=RESUME_AT,
        )
        interaction_id = self.interactions.open(wanted, found.id.encode(), browser=browser)
        return redirect(f"/journey/{interaction_id}", SEE_OTHER)

    def _asked(self, interaction_id: str, browser: str | None) -> tuple[Approve | None, DecoupledRequest | None]:
        wanted = self.interactions.look(interaction_id, browser=browser) if browser else None
        if not isinstance(wanted, Approve):
            return None, None
        return wanted, decoupled.by_id(wanted.request_id)


def _given(text: str) -> str:
    """The code of an address, if it is one."""
    try:
        return user_codes.written(user_codes.user_code(text))
    except Malformed:
        return ""


def _since(found: DecoupledRequest, client: Client) -> datetime | None:
    """From when on proofs count, for a client that is registered with an age (OpenID Connect Registration §2)."""
    age = client.default_max_age
    return found.created_at - timedelta(seconds=age) if age is not None else None


def _young(proofs: Sequence[Proof], found: DecoupledRequest, client: Client) -> Sequence[Proof]:
    instant = _since(found, client)
    young = proofs if instant is None else since(proofs, instant, wanted=found.level)
    return [proof for proof in young if accepts(client.accepted_second_factors, proof.method)]


def _result(state: str, found: DecoupledRequest, face: ClientFace, *, status: int) -> Response:
    shown = {"state": state, "kind": found.kind, "client_name": face.name}
    return pages.render({"page": "device-result", "status": status, "shown": shown, "links": {"again": PATH}})
