"""The cookies, and nothing else about them: names, attributes, reading, setting.

Both edges read them: the protocol to know the session, the pages to know the browser.
The `__Host-` prefix and `Secure` need https (SR-54); a plain-http issuer on loopback cannot have them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256

from flask import Request
from werkzeug.wrappers import Response

YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Cookies:
    """The three cookies of one deployment: session, browser (which journeys are its own), language."""

    secure: bool

    def _name(self, plain: str) -> str:
        return f"__Host-{plain}" if self.secure else plain

    def session_id(self, request: Request) -> str | None:
        """The session id the browser holds, if any."""
        return request.cookies.get(self._name("session"))

    def set_session(self, response: Response, session_id: str) -> None:
        """Hand the browser its session id, until it closes (SR-54)."""
        self._set(response, "session", session_id)

    def clear_session(self, response: Response) -> None:
        """Take the session id back."""
        response.delete_cookie(self._name("session"), path="/", secure=self.secure, httponly=True, samesite="Lax")

    def browser(self, request: Request) -> str | None:
        """A digest that stands for this browser, or None when it holds no cookie of ours."""
        value = request.cookies.get(self._name("browser"))
        return sha256(value.encode()).hexdigest() if value else None

    def ensure_browser(self, request: Request, response: Response) -> str:
        """The browser's digest, after giving it a cookie on `response` if it has none."""
        known = self.browser(request)
        if known is not None:
            return known
        value = secrets.token_urlsafe(24)
        self._set(response, "browser", value)
        return sha256(value.encode()).hexdigest()

    def language(self, request: Request) -> str | None:
        """The language chosen with the chooser, if any; not checked against what is offered."""
        return request.cookies.get(self._name("language"))

    def set_language(self, response: Response, language: str) -> None:
        """Remember the chosen language for a year (page spec §3.1)."""
        self._set(response, "language", language, max_age=YEAR)

    def _set(self, response: Response, plain: str, value: str, *, max_age: int | None = None) -> None:
        response.set_cookie(
            self._name(plain), value, max_age=max_age, path="/", secure=self.secure, httponly=True, samesite="Lax"
        )
