"""Signing out: the question that is asked when a request cannot be tied to the person's own sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from idp.cookies import Cookies
from idp.interaction import Done, Interactions, Refused, SignOut
from idp.rules.client_metadata import DECIDED_ELSEWHERE
from idp.services import clients, logout, sessions
from idp.services.logout import SignedOut
from idp.stores.shortlived.contract import ShortLived
from idp.web import pages
from idp.web.csrf import FormTokens

SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class SignOutViews:
    """P-LOGOUT, P-LOGGED-OUT and P-START."""

    interactions: Interactions
    cookies: Cookies
    tokens: FormTokens
    store: ShortLived

    def blueprint(self) -> Blueprint:
        """The routes."""
        views = Blueprint("sign_out", __name__)
        views.get("/")(self.start)
        views.get("/sign-out/<interaction_id>")(self.ask)
        views.post("/sign-out/<interaction_id>")(self.answer)
        views.get("/signed-out")(self.signed_out)
        return views

    def start(self) -> Response:
        """Where people land who came without a service (P-START)."""
        known = clients.everyone()
        services = [
            (client.client_name or client.client_id, start)
            for client in known
            if (start := clients.start_of(client, _issuer())) is not None
        ]
        devices = any(not set(DECIDED_ELSEWHERE).isdisjoint(client.grant_types) for client in known)
        return pages.render({"page": "start", "shown": {"services": services, "devices": devices}})

    def ask(self, interaction_id: str) -> Response:
        """P-LOGOUT."""
        browser = self.cookies.browser(request)
        wanted = self.interactions.look(interaction_id, browser=browser) if browser else None
        if browser is None or not isinstance(wanted, SignOut):
            return redirect("/signed-out", SEE_OTHER)
        return pages.render(
            {
                "page": "sign-out",
                "form": self.tokens.make(browser, interaction_id),
                "action": f"/sign-out/{interaction_id}",
                "service": wanted.client.name if wanted.client else None,
                "client_origin": wanted.client.origin if wanted.client else None,
            }
        )

    def answer(self, interaction_id: str) -> Response:
        """Sign out, or stay."""
        browser = self.cookies.browser(request)
        wanted = self.interactions.look(interaction_id, browser=browser) if browser else None
        if browser is None or not isinstance(wanted, SignOut):
            return redirect("/signed-out", SEE_OTHER)
        if self.tokens.read(request.form.get("form", ""), browser, interaction_id) is None:
            return redirect(f"/sign-out/{interaction_id}", SEE_OTHER)
        if request.form.get("do") != "sign-out":
            self.interactions.answer(interaction_id, Refused(), browser=browser)
            start = wanted.client.start_uri if wanted.client else None
            return redirect(start or "/", SEE_OTHER)
        logout.remember(self.store, sessions.end(wanted.sid), name=interaction_id)
        self.interactions.answer(interaction_id, Done(), browser=browser)
        response = redirect(f"/logout/resume/{interaction_id}", SEE_OTHER)
        self.cookies.clear_session(response)
        return response

    def signed_out(self) -> Response:
        """P-LOGGED-OUT, with the way back to the service that was signed out of, and those that hear of it."""
        told = request.args.get("told", "")
        over = logout.recall(self.store, told) if told else None
        return signed_out(request.args.get("client_id", ""), told=told, over=over)


def _issuer() -> str:
    issuer: str = current_app.extensions["settings"].server.issuer
    return issuer


def signed_out(client_id: str, *, told: str = "", over: SignedOut | None = None) -> Response:
    """P-LOGGED-OUT: nothing stays behind for the Back button (SR-108). Only registered addresses are linked to.

    Clients that hear of it in the browser do so in frames of this page. It offers to look again while some have
    still to answer, and leads on where a client is to have the last word: by itself where scripts run. Nothing
    happens by the clock (WCAG 2.2.1).
    """
    client = clients.find(client_id)
    home, start = (client.client_uri, clients.start_of(client, _issuer())) if client else (None, None)
    unreached, under_way = logout.standing(over) if over else ([], False)
    onward = over.after if over and over.after and not over.after.startswith("/") else None
    frames = logout.frames(over, _issuer()) if over and (onward or "again" not in request.args) else []
    kept = {**({"client_id": client.client_id} if client else {}), **({"told": told} if over else {})}
    again = f"/signed-out?{urlencode({**kept, 'again': '1'})}" if under_way else None
    response = pages.render(
        {
            "page": "signed-out",
            "service": client.client_name if client else None,
            "kept_query": f"{urlencode(kept)}&" if kept else "",
            "links": {"start": start or "/", **({"back": home} if home else {})},
            "shown": {"unreached": unreached, "frames": frames, "again": again, "onward": onward},
            "frame_origins": sorted({"{0.scheme}://{0.netloc}".format(urlsplit(frame)) for frame in frames}),
        }
    )
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
