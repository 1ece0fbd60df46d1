"""A form that another site posts to us comes without our cookies, which are SameSite=Lax (SR-54)."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import redirect, request
from werkzeug.wrappers import Response

from idp.protocol.parts import Parts
from idp.protocol.request import Parameters

SEE_OTHER = 303


def asked_again(parts: Parts, given: Parameters) -> Response | None:
    """The same request as a GET, which brings the cookies along; None when that is not needed.

    Without it a POST would find nobody signed in, and a logout would leave the session alive.
    """
    if request.method != "POST" or parts.cookies.session_id(request) is not None:
        return None
    pairs = [(name, value) for name, value in given.items() if name != "resource"]
    pairs += [("resource", value) for value in given.resources]
    response = redirect("/", SEE_OTHER)
    response.autocorrect_location_header = False
    response.headers["Location"] = f"{request.path}?{urlencode(pairs)}"
    return response
