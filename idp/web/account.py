"""«Min konto»: what a signed-in person sees of their own account (page spec §11).

The provider is its own service here: without a sign-in that counts, the person walks the ordinary journey
and comes back to the page they asked for. That page is one of this list, never an address from a request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from idp import clock
from idp.cookies import Cookies
from idp.interaction import ClientFace, Interactions, Refused, SignIn
from idp.rules.assurance import MFA, assess, reaches
from idp.services import accounts, clients, credentials, identities, sessions
from idp.services.eids import Eids
from idp.settings import Settings
from idp.stores.shortlived.contract import ShortLived
from idp.web import pages

SEE_OTHER = 303
HOME = "/account"
RESUME_AT = f"{HOME}/resume"
CLIENT_ID = "account"
"""Stands where a client's id stands in the journey. Registered clients get random ones."""


@dataclass(frozen=True, slots=True)
class AccountViews:
    """S-HOME and S-EID."""

    settings: Settings
    store: ShortLived
    interactions: Interactions
    cookies: Cookies
    eids: Eids

    def blueprint(self) -> Blueprint:
        """The routes."""
        views = Blueprint("account", __name__)
        for path, view in self._pages().items():
            views.add_url_rule(path, view.__name__, self._for_the_signed_in(path, view), methods=["GET"])
        views.get("/account/resume/<interaction_id>")(self.resume)
        return views

    def resume(self, interaction_id: str) -> Response:
        """After a sign-in: the page that was asked for, or the start for who changed their mind."""
        browser = self.cookies.browser(request)
        taken = self.interactions.take(interaction_id, browser=browser, resume_at=RESUME_AT) if browser else None
        if taken is None:
            return redirect(f"/journey/{interaction_id}", SEE_OTHER)
        return redirect("/" if isinstance(taken.outcome, Refused) else taken.request.decode(), SEE_OTHER)

    def security(self, account_id: str) -> dict[str, Any]:
        """S-HOME: each way to sign in, and what state it is in."""
        account, phone = accounts.by_id(account_id), credentials.phone_of(account_id)
        return {
            "email": account.email if account else "",
            "password_set_at": credentials.password_set_at(account_id),
            "last_digits": phone.number[-2:] if phone else None,
            "confirmed": next(iter(self._confirmations(account_id)), None),
        }

    def electronic_id(self, account_id: str) -> dict[str, Any]:
        """S-EID: which eID, when, and for which service. Never the number itself."""
        return {"confirmations": self._confirmations(account_id)}

    # How it is done

    def _pages(self) -> dict[str, Callable[[str], dict[str, Any]]]:
        return {HOME: self.security, f"{HOME}/electronic-id": self.electronic_id}

    def _for_the_signed_in(self, path: str, view: Callable[[str], dict[str, Any]]) -> Callable[[], Response]:
        page = view.__name__.replace("_", "-")

        def shown() -> Response:
            account_id = self._signed_in()
            if account_id is None:
                return self._sign_in(path)
            return pages.render({"page": page, "shown": view(account_id), "links": {"home": HOME}})

        return shown

    def _signed_in(self) -> str | None:
        """The account of a session with two factors: what is shown here helps whoever is after it."""
        session = sessions.find(self.store, self.settings.sessions, self.cookies.session_id(request))
        assurance = assess(session.proofs, clock.now()) if session else None
        return session.account_id if session and assurance and reaches(assurance.acr, MFA) else None

    def _sign_in(self, path: str) -> Response:
        face = ClientFace(client_id=CLIENT_ID, name=self.settings.service.name, start_uri=path, home_uri=path)
        wanted = SignIn(client=face, level=MFA, resume_at=RESUME_AT)
        response = redirect("/", SEE_OTHER)
        browser = self.cookies.ensure_browser(request, response)
        response.location = f"/journey/{self.interactions.open(wanted, path.encode(), browser=browser)}"
        return response

    def _confirmations(self, account_id: str) -> list[dict[str, Any]]:
        """Newest first. An eID or a client that is no longer here is named as well as can be."""
        connectors = self.eids.connectors
        return [
            {
                "eid": connectors[found.eid].label if found.eid in connectors else found.eid,
                "at": found.proved_at,
                "service": client.client_name if (client := clients.find(found.client_id)) else None,
            }
            for found in identities.confirmations(account_id)
        ]
