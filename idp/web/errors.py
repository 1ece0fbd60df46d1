"""Every error becomes a page with a way on, and a reference for support (SR-122; page spec §8.6).

What went wrong inside is in the log under that reference, and nowhere else.
"""

from __future__ import annotations

import json
import logging
import secrets
import traceback
from contextlib import ExitStack
from typing import Any

from flask import Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from idp import clock, correlation
from idp.correlation import Correlation
from idp.interaction import ClientFace
from idp.services.windows import origin_of
from idp.settings import Settings
from idp.stores import Unavailable
from idp.web import pages

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 and O, 1, I and L, or U: a reference is read aloud on the phone."""

RETRY_AFTER = 10
"""Seconds after which a store that was down is worth another try."""

STATUS = {"bad-link": 400, "expired": 410, "no-access": 403, "closed": 403, "fault": 500, "unavailable": 503}
"""Kinds of page that the protocol may ask for."""

PAGE_OF = {400: "bad-request", 403: "bad-request", 404: "not-found", 405: "not-found", 413: "too-large"}
MACHINES = (
    "/token",
    "/userinfo",
    "/introspect",
    "/revoke",
    "/jwks",
    "/.well-known/",
    "/device-authorization",
    "/backchannel-authentication",
)
"""Where programs ask, not people: their answers are JSON."""

LAST_WORDS = "Beklager, noe gikk galt hos oss. Sorry, something went wrong on our side."
"""In both languages, when not even a page can be drawn."""

log = logging.getLogger("idp.web")


def install(app: Flask, _: Settings) -> None:
    """Give each request of `app` its reference, and each error its page."""
    app.before_request(_begin)
    app.teardown_request(_end)
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(Unavailable, _pause)
    app.register_error_handler(Exception, _fault)


def draw(kind: str, *, technical: str = "", client: ClientFace | None = None) -> ResponseReturnValue:
    """The page of a protocol error that must stay on our origin.

    `technical` is a protocol error's name, for support. Only a registered start address is linked to.
    """
    status = STATUS.get(kind, 400)
    _log(kind, status, technical=technical, client_id=client.client_id if client else None)
    return _page(kind if kind in STATUS else "bad-link", status, technical=technical, client=client)


def pause(seconds: int) -> Response:
    """Too much at once: the page that asks to try again, and when (SR-33)."""
    _log("limited", 429)
    answer = _page("unavailable", 429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def reference() -> str:
    """A new reference: 7K3F-92QD, forty bits that mean nothing."""
    letters = [secrets.choice(ALPHABET) for _ in range(8)]
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"


def _begin() -> None:
    g.correlation = ExitStack()
    network = str(origin_of(request.remote_addr or "").network)
    g.correlation.enter_context(correlation.during(Correlation(reference(), network)))


def _end(_: BaseException | None) -> None:
    carried: ExitStack | None = g.pop("correlation", None)
    if carried is not None:
        carried.close()


def _refuse(problem: HTTPException) -> ResponseReturnValue:
    if problem.response is not None or problem.code is None or problem.code < 400:
        return problem  # a redirect of the router's own
    if problem.code >= 500:
        return _pause(problem) if problem.code == 503 else _fault(problem)
    answer = _page(PAGE_OF.get(problem.code, "bad-request"), problem.code)
    for name, value in problem.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def _pause(problem: Exception) -> ResponseReturnValue:
    _log("unavailable", 503, problem=problem.__cause__ or problem)
    answer = _page("unavailable", 503)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def _fault(problem: Exception) -> ResponseReturnValue:
    _log("unexpected", 500, problem=problem)
    return _page("fault", 500)


def _page(page: str, status: int, *, technical: str = "", client: ClientFace | None = None) -> Response:
    if request.path.startswith(MACHINES):
        return _json(status)
    view = {
        "page": page,
        "status": status,
        "service": client.name if client else None,
        "shown": {"technical": technical, "reference": correlation.current().reference, "time": clock.now()},
        "links": {"start": (client.start_uri if client else None) or "/", "again": _again()},
    }
    try:
        return pages.render(view)
    except Exception as problem:  # noqa: BLE001 - the last resort: whatever broke, people hear of it in words
        _log("page could not be drawn", 500, problem=problem)
        return Response(f"{LAST_WORDS} {correlation.current().reference}\n", status=500, mimetype="text/plain")


def _json(status: int) -> Response:
    """For programs: RFC 6749 has `temporarily_unavailable` and `server_error`; the rest is the caller's mistake."""
    error = {500: "server_error", 503: "temporarily_unavailable"}.get(status, "invalid_request")
    answer = jsonify({"error": error, "error_description": f"reference {correlation.current().reference}"})
    answer.status_code = status
    return answer


def _again() -> str:
    """Where "Try again" leads: the step, asked for anew. Never what a query said."""
    ours = ("/account", "/device", "/journey/", "/sign-out/", "/authorize/resume/")
    return request.path if request.path.startswith(ours) else "/"


def _log(event: str, status: int, *, problem: BaseException | None = None, **more: Any) -> None:
    """One line. An exception's own words may hold an address or a number: its type and place have to do."""
    line: dict[str, Any] = {
        "event": event,
        "status": status,
        "reference": correlation.current().reference,
        "network": correlation.current().network,
        "method": request.method,
        "endpoint": request.endpoint,
        **{name: value for name, value in more.items() if value},
    }
    if problem is not None:
        frames = traceback.extract_tb(problem.__traceback__)[-6:]
        line["exception"] = f"{type(problem).__module__}.{type(problem).__qualname__}"
        line["at"] = [f"{frame.filename.rpartition('/idp/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    log.log(logging.ERROR if status >= 500 else logging.WARNING, json.dumps(line, ensure_ascii=False))
