"""Who is at a journey's page, as far as a request tells."""

from __future__ import annotations

import secrets

from flask import request

from idp.cookies import Cookies
from idp.journeys.record import Visitor
from idp.web import forms, locale


def visitor(cookies: Cookies) -> Visitor | None:
    """Whose request this is; None for a browser that holds no cookie of ours."""
    browser = cookies.browser(request)
    if browser is None:
        return None
    return Visitor(
        browser,
        cookies.session_id(request),
        locale.current(),
        forms.device(request),
        forms.origin(request),
        cookies.known.read(request) or secrets.token_urlsafe(24),
        cookies.device.read(request),
    )


def place(journey_id: str, journey: str, step: str) -> str:
    """What a form of this step is bound to."""
    return f"{journey_id}/{journey}/{step}"
