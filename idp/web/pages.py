"""Page id and context → the page: its template, the words it shows, its status and headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from flask import Flask, Response, current_app, make_response, render_template, request
from flask_babel import format_date, format_datetime, format_time
from jinja2 import StrictUndefined

from idp.settings import Settings
from idp.web import countries, eid_view, headers, locale, scopes, texts

View = Mapping[str, Any]
"""What a page gets. `page` is its id, the template's name; the rest is there where that page needs it:

`status`, `journey_id`, `journey`, `form` (one-time token), `action` (where it posts), `errors` (each with `field`
and `text`), `typed` (what was typed, never secrets), `shown` (the page's own values), `notices` (each with `kind`
info, success or warning, and `text`), `service` (the client's name), `client_origin`, `eid_origins` (where the
page's form may lead besides), `frame_origins` (whose pages
may be framed), `kept_query` (what of the query stays when the language changes), `links` by name.
"""

STEPS = {"email": 1, "email-code": 1, "password": 2, "phone": 3, "phone-code": 3}
"""Pages of a sign-up, and which of its three steps each belongs to."""

FOLDERS = ("journey", "account", "error", "page")

CODE_PAGES = ("phone-code", "email-code")
STANDING = {"help": "/help", "privacy": "/privacy", "terms": "/terms", "accessibility": "/accessibility"}
"""Pages that are the same for everybody, and where they are."""


@dataclass(frozen=True, slots=True)
class _Templates:
    """Which template draws which page, found once."""

    by_page: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def found_in(folder: Path) -> _Templates:
        return _Templates(
            {path.stem: f"{kind}/{path.name}" for kind in FOLDERS for path in sorted((folder / kind).glob("*.html"))}
        )


def install(app: Flask, settings: Settings) -> None:
    """Prepare `app` for drawing pages, and serve those that are the same for everybody."""
    app.extensions["pages"] = _Templates.found_in(Path(app.root_path, str(app.template_folder)))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        settings=settings.service,
        standing=STANDING,
        language=locale.current,
        direction=locale.direction,
        languages=locale.choices,
    )
    app.jinja_env.filters.update(clock_time=clock_time, date=format_date, moment=moment)
    for page, url in STANDING.items():
        app.add_url_rule(url, f"page_{page}", lambda page=page: render({"page": page}), methods=["GET"])


def render(view: View) -> Response:
    """The page as a response. `view["page"]` is its id; raises KeyError for one that has no template."""
    templates: _Templates = current_app.extensions["pages"]
    context = _context(view)
    response = make_response(render_template(templates.by_page[view["page"]], **context), view.get("status", 200))
    response.content_language = locale.current()
    headers.allow_frames_of(*view.get("frame_origins", ()))
    headers.allow_form_to(view.get("client_origin"), *view.get("eid_origins", ()))
    return response


def form_post(redirect_uri: str, answer: Mapping[str, str]) -> Response:
    """A page whose form brings the answer to the client. Without script the person presses its button."""
    target = urlsplit(redirect_uri)
    response = render(
        {
            "page": "form-post",
            "action": redirect_uri,
            "shown": {"answer": dict(answer)},
            "client_origin": f"{target.scheme}://{target.netloc}",
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def clock_time(moment: datetime) -> str:
    """14.35 in Norwegian, 14:35 in English, in the operator's time zone."""
    return str(format_time(moment, "HH.mm" if locale.current() == "nb" else "HH:mm"))


def moment(instant: datetime) -> str:
    """23. november 2026 kl. 14.35 in Norwegian, 23 November 2026 at 14:35 in English (page spec §2.4)."""
    joined = "d. MMMM y 'kl'. HH.mm" if locale.current() == "nb" else "d MMMM y 'at' HH:mm"
    return str(format_datetime(instant, joined))


def _context(view: View) -> dict[str, Any]:
    service = current_app.extensions["settings"].service
    shown = dict(view.get("shown", {}))
    _complete(view["page"], shown)
    return {
        "page": view["page"],
        "named": bool(view.get("service")),
        "service": view.get("service") or service.name,
        "provider": service.provider_name,
        "form": view.get("form", ""),
        "action": view.get("action", request.path),
        "errors": _errors(view, shown),
        "typed": dict(view.get("typed", {})),
        "shown": shown,
        "notices": view.get("notices", ()),
        "links": dict(view.get("links", {})),
        "step_number": STEPS.get(view["page"]) if view.get("journey") == "sign-up" else None,
        "passkeys": bool(shown.get("passkey") or shown.get("offers") or "passkey" in shown.get("ways", ())),
        "kept_query": view.get("kept_query", _kept_query()),
        "failure": texts.error_text,
    }


def _kept_query() -> str:
    """Which way of a step is shown stays when the language changes."""
    way = request.args.get("way", "")
    if "other-way" in request.args:
        return "other-way&"
    return f"way={way}&" if way.isidentifier() and way.isascii() else ""


def _errors(view: View, shown: Mapping[str, Any]) -> list[dict[str, str]]:
    """The messages; one about a code that can no longer be typed leads to the button for a new one."""
    gone = view["page"] in CODE_PAGES and shown.get("state", "open") != "open"
    return [
        {"field": "again" if gone and error["field"] == "code" else error["field"], "text": error["text"]}
        for error in view.get("errors", ())
    ]


def _complete(page: str, shown: dict[str, Any]) -> None:
    """Put words to what the engine only has codes for."""
    if page == "phone":
        shown["usual"], shown["all"] = countries.choices(locale.current(), tuple(shown["countries"]))
    elif page == "eid-wait":
        shown["qr"], shown["hint"] = eid_view.drawn(shown["qr"]), eid_view.hint(shown["hint"])
    elif page == "set-up-app":
        shown["qr"] = eid_view.drawn(shown["link"])
    elif page in ("consent", "device-approve"):
        asked = scopes.items(shown.get("scopes", ()), optional=shown.get("optional", ()))
        shown["items"] = (*asked, *scopes.of_records(shown.get("records", ())))
    elif page == "phone-code" and shown.get("number"):
        parsed = phonenumbers.parse(shown["number"])
        shown["number"] = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
