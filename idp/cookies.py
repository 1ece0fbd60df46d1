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


DAY = 24 * 3600

HALF_A_YEAR = 183 * DAY


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie of one deployment."""

    plain: str
    secure: bool

    @property
    def name(self) -> str:
        """As browsers know it."""
        return f"__Host-{self.plain}" if self.secure else self.plain

    def read(self, request: Request) -> str | None:
        """What the browser holds, if anything."""
        return request.cookies.get(self.name)

    def keep(self, response: Response, value: str, *, max_age: int | None = None) -> None:
        """Hand it to the browser: until it closes, or for so many seconds."""
        response.set_cookie(
            self.name, value, max_age=max_age, path="/", secure=self.secure, httponly=True, samesite="Lax"
        )


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies of one deployment: session, browser (which journeys are its own), language, remembered device."""

    secure: bool

    def session_id(self, request: Request) -> str | None:
        """The session id the browser holds, if any."""
        return self._cookie("session").read(request)

    def set_session(self, response: Response, session_id: str) -> None:
        """Hand the browser its session id, until it closes (SR-54)."""
        self._cookie("session").keep(response, session_id)

    def clear_session(self, response: Response) -> None:
        """Take the session id back."""
        name = self._cookie("session").name
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="Lax")

    def browser(self, request: Request) -> str | None:
        """A digest that stands for this browser, or None when it holds no cookie of ours."""
        value = self._cookie("browser").read(request)
        return sha256(value.encode()).hexdigest() if value else None

    def ensure_browser(self, request: Request, response: Response) -> str:
        """The browser's digest, after giving it a cookie on `response` if it has none."""
        known = self.browser(request)
        if known is not None:
            return known
        value = secrets.token_urlsafe(24)
        self._cookie("browser").keep(response, value)
        return sha256(value.encode()).hexdigest()

    def language(self, request: Request) -> str | None:
        """The language chosen with the chooser, if any; not checked against what is offered."""
        return self._cookie("language").read(request)

    def set_language(self, response: Response, language: str) -> None:
        """Remember the chosen language for a year (page spec §3.1)."""
        self._cookie("language").keep(response, language, max_age=YEAR)

    @property
    def known(self) -> Cookie:
        """By which a browser is known again, so that its owner hears only of new ones (SR-42). It opens nothing."""
        return self._cookie("known")

    @property
    def device(self) -> Cookie:
        """What a remembered device holds (SR-43). It is no session: it opens nothing by itself."""
        return self._cookie("device")

    @property
    def no_passkeys(self) -> Cookie:
        """Somebody said «Not now» here when a passkey was offered (page spec §8.2)."""
        return self._cookie("no-passkeys")

    def _cookie(self, plain: str) -> Cookie:
        return Cookie(plain, self.secure)
