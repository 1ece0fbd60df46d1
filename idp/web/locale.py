"""Which language a page speaks (page spec §3.1), and the chooser's side of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from babel import Locale
from flask import Flask, Response, current_app, g, has_request_context, request
from flask_babel import Babel, get_locale

from idp.cookies import Cookies
from idp.interaction import Interactions
from idp.services import accounts, sessions
from idp.settings import Settings
from idp.stores import Unavailable

MACROLANGUAGE = {"no": "nb", "nn": "nb"}
"""Norwegian without saying which, and Nynorsk until it exists."""

RIGHT_TO_LEFT = "rtl"
MARK = 12
"""Characters of the digest that tells in which journey a language was chosen."""


@dataclass(frozen=True, slots=True)
class Language:
    """One entry of the chooser."""

    tag: str
    name: str
    current: bool


def install(app: Flask, settings: Settings, cookies: Cookies) -> None:
    """Let every request of `app` find its language, and `?language=` choose it."""
    Babel(
        app,
        default_locale=settings.service.default_language,
        default_timezone=settings.service.time_zone,
        locale_selector=lambda: _select(settings, cookies),
        timezone_selector=lambda: g.get("time_zone"),
    )
    app.after_request(lambda response: _remember(response, settings, cookies))


def use_time_zone(name: str | None) -> None:
    """Tell clock times of this request in the person's own zone; None: in the operator's."""
    g.time_zone = name


def current() -> str:
    """The tag of the language in use: `nb`."""
    return str(get_locale() or "nb")


def direction() -> str:
    """`ltr` or `rtl`, for `dir` on `html`."""
    locale = get_locale()
    return RIGHT_TO_LEFT if locale is not None and locale.text_direction == RIGHT_TO_LEFT else "ltr"


def choices() -> tuple[Language, ...]:
    """The languages offered, each by its own name; empty when there is nothing to choose."""
    offered = current_app.extensions["settings"].service.languages
    if len(offered) < 2:
        return ()
    return tuple(Language(tag, own_name(tag), tag == current()) for tag in offered)


def own_name(tag: str) -> str:
    """What a language calls itself, with a capital: Norsk bokmål."""
    name = Locale.parse(tag).get_display_name(tag) or tag
    return name[:1].upper() + name[1:]


def lookup(ranges: Sequence[str], offered: Sequence[str]) -> str | None:
    """The first offered language that one of `ranges` asks for, most wanted first (RFC 4647 §3.4)."""
    known = {tag.lower(): tag for tag in offered}
    for wanted in ranges:
        parts = wanted.lower().split("-")
        while parts:
            tag = "-".join(parts)
            found = known.get(tag) or known.get(MACROLANGUAGE.get(tag, ""))
            if found:
                return found
            parts.pop()
            if parts and len(parts[-1]) == 1:  # a single letter only introduces what followed it
                parts.pop()
    return None


def _select(settings: Settings, cookies: Cookies) -> str:
    service = settings.service
    if not has_request_context():
        return service.default_language
    offered = service.languages
    chosen = _chosen(offered)
    if chosen:
        return chosen
    kept, mark = _kept(cookies)
    if kept in offered and mark and mark == _journey_mark():  # chosen in this very journey: later than ui_locales
        return kept
    return (
        lookup(_ui_locales(cookies), offered)
        or (kept if kept in offered else None)
        or lookup(_account_language(settings, cookies), offered)
        or lookup(_accepted(), offered)
        or service.default_language
    )


def _chosen(offered: Sequence[str]) -> str | None:
    """The language that the chooser's link names."""
    tag = request.args.get("language", "")
    return tag if tag in offered else None


def _remember(response: Response, settings: Settings, cookies: Cookies) -> Response:
    chosen = _chosen(settings.service.languages)
    if chosen and request.method == "GET" and response.mimetype == "text/html":
        mark = _journey_mark()
        cookies.set_language(response, f"{chosen}.{mark}" if mark else chosen)
    return response


def _kept(cookies: Cookies) -> tuple[str, str]:
    tag, _, mark = (cookies.language(request) or "").partition(".")
    return tag, mark


def _journey_mark() -> str:
    """A digest of the journey's id, which itself does not belong into a cookie that lasts a year."""
    journey_id = _journey_id()
    return sha256(journey_id.encode()).hexdigest()[:MARK] if journey_id else ""


def _journey_id() -> str:
    given = request.view_args or {}
    return str(given.get("journey_id") or given.get("interaction_id") or "")


def _ui_locales(cookies: Cookies) -> Sequence[str]:
    """What the client asked for: in this request, or in the one that began this journey."""
    asked = request.args.get("ui_locales", "").split()
    journey_id, browser = _journey_id(), cookies.browser(request)
    if asked or not journey_id or browser is None:
        return asked
    if "ui_locales" not in g:
        g.ui_locales = _of_interaction(journey_id, browser)
    return tuple(g.ui_locales)


def _of_interaction(journey_id: str, browser: str) -> Sequence[str]:
    interactions: Interactions = current_app.extensions["idp"].interactions
    try:
        wanted = interactions.look(journey_id, browser=browser)
    except Unavailable:  # the page that says so still needs a language
        return ()
    return wanted.ui_locales if wanted else ()


def _account_language(settings: Settings, cookies: Cookies) -> Sequence[str]:
    """The saved language of whoever is signed in here."""
    session_id = cookies.session_id(request)
    if session_id is None:
        return ()
    try:
        session = sessions.find(current_app.extensions["idp"].store, settings.sessions, session_id)
        account = accounts.by_id(session.account_id) if session else None
    except Unavailable:
        return ()
    return (account.locale,) if account else ()


def _accepted() -> Sequence[str]:
    """Accept-Language, most wanted first."""
    return [tag for tag, quality in request.accept_languages if quality > 0 and tag != "*"]
