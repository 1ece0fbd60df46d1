"""The views of «Min konto»: who is signed in, forms that count, and the way into a change and back.

The provider is its own service here: without a sign-in that counts, the person walks the ordinary journey
and comes back to the page they asked for. That page is one of this list, never an address from a request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response

from idp import clock
from idp.cookies import Cookies
from idp.interaction import ClientFace, Done, Interactions, Refused, SignIn
from idp.rules.assurance import METHODS, MFA, Proof, assess, reaches
from idp.services import accounts, logout, sessions
from idp.services.logout import Party
from idp.web import forms, locale, notices, pages, texts
from idp.web.account.contract import (
    HOME,
    Act,
    Answer,
    Begin,
    Change,
    File,
    Member,
    Page,
    Part,
    Rejected,
    SignedOut,
    Tools,
    Went,
)
from idp.web.account.data import LEFT
from idp.web.account.security import PASSWORD
from idp.web.csrf import FormTokens
from idp.web.forms import OddForm

SEE_OTHER = 303
RESUME_AT = f"{HOME}/resume"
CLIENT_ID = "account"
"""Stands where a client's id stands in the journey. Registered clients get random ones."""

RECHECK = "recheck"
"""The change that changes nothing: the owner is proved anew."""

TOLD_FOR = 600
"""Seconds that the box about what was done waits for its page."""


@dataclass(frozen=True, slots=True)
class AccountViews:
    """Every page, act and change, for whoever is signed in."""

    tools: Tools
    interactions: Interactions
    cookies: Cookies
    tokens: FormTokens
    parts: Sequence[Part]

    def blueprint(self) -> Blueprint:
        """The routes."""
        views = Blueprint("account", __name__)
        for at, part in enumerate(self.parts):
            method = "POST" if isinstance(part, Act) else "GET"
            views.add_url_rule(part.path, f"{method}-{at}", self._view(part), methods=[method])
        views.get(f"{RESUME_AT}/<interaction_id>", endpoint="resume")(self.resume)
        views.get(LEFT, endpoint="left")(lambda: pages.render({"page": "left", "links": {"home": HOME}}))
        views.get("/.well-known/change-password", endpoint="change-password")(lambda: redirect(PASSWORD, SEE_OTHER))
        return views

    def resume(self, interaction_id: str) -> Response:
        """After a journey: the page that was asked for, with a box where something was changed."""
        browser = self.cookies.browser(request)
        taken = self.interactions.take(interaction_id, browser=browser, resume_at=RESUME_AT) if browser else None
        if taken is None or not isinstance(taken.wanted, SignIn):
            return redirect(f"/journey/{interaction_id}", SEE_OTHER)
        if isinstance(taken.outcome, Refused) and taken.wanted.change is None:
            return redirect("/", SEE_OTHER)
        member = self._member({})
        if member is not None and isinstance(taken.outcome, Done) and taken.outcome.said:
            self._tell(member, taken.outcome.said)
        return redirect(taken.request.decode(), SEE_OTHER)

    # How it is done

    def _view(self, part: Part) -> Callable[..., Response]:
        def view(**route: str) -> Response:
            member = self._member(route)
            match part:
                case Page():
                    return self._draw(part, member) if member else self._sign_in(request.path)
                case Change():
                    if member is None:
                        return self._sign_in(request.path)
                    return self._begin(Begin(part.journey, part.back), member)
                case Act():
                    return self._press(part, member)
                case File():
                    return self._hand(part, member) if member else self._sign_in(part.back)

        return view

    def _press(self, act: Act, member: Member | None) -> Response:
        """Nothing is done for a form that was not drawn for this browser and this very sign-in (SR-57)."""
        if member is None:  # the sign-in ended while the page was open: what was typed is asked for once more
            return self._sign_in(HOME)
        try:
            typed = forms.typed(request)
        except OddForm as problem:
            raise BadRequest from problem
        form = self.tokens.read(typed.get("form", ""), member.browser, _place(member))
        if form is None or not self.tools.store.claim(f"form:{form.nonce}", ttl=TOLD_FOR):
            return redirect(HOME, SEE_OTHER)
        return self._answer(act.done(self.tools, member, typed), member)

    def _answer(self, answer: Answer, member: Member) -> Response:
        match answer:
            case Went(path=path, said=said):
                if said:
                    self._tell(member, said)
                return redirect(path, SEE_OTHER)
            case Begin() as begin:
                return self._begin(begin, member)
            case SignedOut(parties=parties):
                return self._signed_out(parties)
            case Rejected() as rejected:
                return self._draw(rejected.page, member, rejected)
            case None:
                raise NotFound

    def _hand(self, file: File, member: Member) -> Response:
        if not member.proved_anew:
            return self._begin(Begin(RECHECK, file.back), member)
        made = file.made(self.tools, member)
        if made is None:
            raise NotFound
        response = Response(made.content, content_type=f"{made.mimetype}; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    def _signed_out(self, parties: tuple[Party, ...]) -> Response:
        told = logout.remember(self.tools.store, parties)
        response = redirect(f"/signed-out?{urlencode({'told': told})}" if told else "/signed-out", SEE_OTHER)
        self.cookies.clear_session(response)
        return response

    def _draw(self, page: Page, member: Member, rejected: Rejected | None = None) -> Response:
        account = accounts.by_id(member.account_id)
        locale.use_time_zone(account.time_zone if account else None)
        shown = page.shown(self.tools, member)
        if shown is None:
            raise NotFound
        said = self.tools.store.take(_told(member))
        faults = rejected.faults if rejected else ()
        return pages.render(
            {
                "page": page.name,
                "status": 422 if rejected else 200,
                "shown": shown,
                "form": self.tokens.make(member.browser, _place(member)),
                "errors": [{"field": at, "text": texts.error_text(key, values)} for at, key, values in faults],
                "typed": dict(rejected.typed) if rejected else {},
                "notices": [{"kind": "success", "text": notices.done(said.decode())}] if said else [],
                "links": {"home": HOME},
            }
        )

    def _tell(self, member: Member, said: str) -> None:
        self.tools.store.put(_told(member), said.encode(), ttl=TOLD_FOR)

    def _member(self, route: dict[str, str]) -> Member | None:
        """Whoever has a session with two factors: what is shown here helps whoever is after the account."""
        session = sessions.find(self.tools.store, self.tools.settings.sessions, self.cookies.session_id(request))
        browser = self.cookies.browser(request)
        assurance = assess(session.proofs, clock.now()) if session else None
        if session is None or assurance is None or not reaches(assurance.acr, MFA):
            return None
        return Member(
            session.account_id,
            session.sid,
            browser or "",
            forms.device(request),
            route,
            request.args.to_dict(),
            self._proved_anew(session.proofs),
        )

    def _proved_anew(self, proofs: Sequence[Proof]) -> bool:
        now = clock.now()
        since = now - timedelta(seconds=self.tools.settings.sessions.recheck)
        young = [proof for proof in proofs if proof.at >= since and proof.method in METHODS]
        assurance = assess(young, now)
        return assurance is not None and reaches(assurance.acr, MFA)

    def _sign_in(self, path: str) -> Response:
        wanted = SignIn(client=self._face(path), level=MFA, resume_at=RESUME_AT)
        return self._open(wanted, path)

    def _begin(self, begin: Begin, member: Member) -> Response:
        wanted = SignIn(
            client=self._face(begin.path),
            level=MFA,
            resume_at=RESUME_AT,
            account_id=member.account_id,
            change=begin.change,
            subject=begin.subject,
        )
        return self._open(wanted, begin.path)

    def _open(self, wanted: SignIn, path: str) -> Response:
        response = redirect("/", SEE_OTHER)
        browser = self.cookies.ensure_browser(request, response)
        response.location = f"/journey/{self.interactions.open(wanted, path.encode(), browser=browser)}"
        return response

    def _face(self, path: str) -> ClientFace:
        name = self.tools.settings.service.name
        return ClientFace(client_id=CLIENT_ID, name=name, start_uri=path, home_uri=path)


def _place(member: Member) -> str:
    """Forms of one sign-in count for no other."""
    return f"account|{member.sid}"


def _told(member: Member) -> str:
    return f"told:{member.sid}"
