"""The pages. Whatever goes wrong elsewhere, the person stays on a page that works and says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, assert_never

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Blueprint, abort, current_app, g, redirect, render_template, request, session, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from .logout_tokens import LEEWAY, Untrusted
from .payslips import Answer, Closed, DataService, Found, ProofNeeded, TokenRefused, Unavailable
from .provider import NotOurTrip, Provider, ProviderRefused, ProviderUnreachable, SignedOut, Trip, kept_tokens
from .sessions import Session, Sessions
from .texts import LANGUAGES, text

pages = Blueprint("pages", __name__)

LANGUAGE_COOKIE = "portal_language"
YEAR = 365 * 24 * 60 * 60
PROVED = ("http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high")
STATUS = {"not-found": 404, "no-match": 200, "not-open-yet": 200, "window-closed": 200}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages work with."""

    url: str
    provider: Provider
    data: DataService
    sessions: Sessions


def _parts() -> Parts:
    parts: Parts = current_app.extensions["portal"]
    return parts


def _session() -> Session:
    assert isinstance(session._get_current_object(), Session)  # type: ignore[attr-defined]  # noqa: S101, SLF001
    return session  # type: ignore[return-value]


@pages.before_app_request
def choose_language() -> None:
    """Norwegian unless the person chose otherwise, here or before."""
    wanted = request.args.get("language") or request.cookies.get(LANGUAGE_COOKIE)
    g.language = wanted if wanted in LANGUAGES else "nb"


@pages.before_app_request
def only_from_our_own_pages() -> None:
    """A form of another origin changes nothing here; another port of this machine is same-site, so we look."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and origin != _parts().url:
        abort(403)


@pages.after_app_request
def finish(answer: Response) -> Response:
    """Remember the language, keep pages out of caches, and let nothing foreign run on them."""
    if request.args.get("language") in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, g.language, max_age=YEAR, samesite="Lax", httponly=True)
    issuer = _parts().provider.issuer
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {issuer};"
        " base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["Referrer-Policy"] = "same-origin"  # no-referrer would make our own forms say Origin: null
    answer.headers["X-Content-Type-Options"] = "nosniff"
    if request.endpoint != "static":
        answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.app_context_processor
def words() -> dict[str, Any]:
    """What every template may use."""
    locale = {"nb": "nb_NO", "en": "en_GB"}[g.language]
    return {
        "t": lambda key, **values: text(key, g.language, **values),
        "language": g.language,
        "languages": LANGUAGES,
        "person": session.get("person"),
        "money": lambda amount: format_decimal(amount, "#,##0.00", locale=locale),
        "day": lambda value: format_date(_day(value), "long", locale=locale),
        "month": lambda period: format_date(date.fromisoformat(f"{period}-01"), "LLLL y", locale=locale),
    }


def _day(value: str | datetime) -> date:
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).date()


@pages.get("/")
def front() -> Response | str | tuple[str, int]:
    """The front page: «Logg inn», or the person's payslips."""
    if "person" not in session:
        return render_template("front.html", notice=session.pop("notice", None))
    return _answer_page(_asked(lambda data, token: data.payslips(token)), "payslips.html", Trip("/"))


@pages.get("/payslips/<payslip_id>")
def payslip(payslip_id: str) -> Response | str | tuple[str, int]:
    """One payslip; for somebody signed out, sign-in and then this very page."""
    here = Trip(url_for("pages.payslip", payslip_id=payslip_id))
    if "person" not in session:
        return _leave(here)
    return _answer_page(_asked(lambda data, token: data.payslip(token, payslip_id)), "payslip.html", here)


@pages.get("/profile")
def profile() -> Response | str:
    """What the portal knows of the person, and whether the data service knows them too."""
    if "person" not in session:
        return _leave(Trip("/profile"))
    answer = _asked(lambda data, token: data.me(token))
    if isinstance(answer, Response):
        return answer
    proved = session["person"].get("acr") in PROVED
    return render_template("profile.html", known=isinstance(answer, Found), proved=proved)


def _asked(question: Any) -> Answer | Response:
    """Ask the data service, with a fresh token and once more with a fresher one; a Response if that is over."""
    provider, data, sessions = _parts().provider, _parts().data, _parts().sessions
    try:
        answer: Answer = question(data, provider.access_token(_session(), sessions))
        if isinstance(answer, TokenRefused):
            answer = question(data, provider.access_token(_session(), sessions, insist=True))
    except ProviderUnreachable:
        return Unavailable()
    except SignedOut:
        return _renew_silently()
    return _over() if isinstance(answer, TokenRefused) else answer


def _renew_silently() -> Response:
    """No refresh token, or a spent one: ask the provider without asking the person."""
    back_to = request.full_path.rstrip("?")
    return _leave(Trip(back_to, silent=True))


def _over() -> Response:
    _parts().sessions.end(_session())
    session["notice"] = "session_over"
    return redirect("/", 303)


def _answer_page(answer: Answer | Response, template: str, here: Trip) -> Response | str | tuple[str, int]:
    notice = session.pop("notice", None)
    match answer:
        case Response():
            return answer
        case Found(found):
            return render_template(template, found=found, notice=notice)
        case ProofNeeded(acr_values, max_age):
            session["challenge"] = {"acr_values": acr_values, "max_age": max_age}
            return render_template("proof_needed.html", here=here.back_to, notice=notice)
        case Closed(reason, when):
            return render_template("closed.html", reason=reason, when=when, notice=notice), STATUS[reason]
        case Unavailable() | TokenRefused():
            return render_template("unavailable.html", here=here.back_to, notice=notice), 503
        case _:
            assert_never(answer)


@pages.get("/login")
def login() -> Response:
    """Start signing in. Also where the provider sends people who lost their way (OpenID Connect Core §4)."""
    if request.args.get("iss", _parts().provider.issuer) != _parts().provider.issuer:
        abort(400)
    if "person" in session and "iss" not in request.args:
        return redirect("/", 303)
    return _leave(Trip("/"))


@pages.post("/confirm")
def confirm() -> Response:
    """«Bekreft»: prove what the data service asked for, and come back to the page it was asked on."""
    here = _own_path(request.form.get("here", ""))
    challenge = session.get("challenge")
    if "person" not in session or challenge is None:
        return redirect(here, 303)
    return _leave(Trip(here, acr_values=challenge["acr_values"], max_age=challenge["max_age"]))


@pages.get("/callback")
def callback() -> Response:
    """Back from the provider."""
    try:
        trip, token = _parts().provider.arrive(_session(), request)
    except NotOurTrip:  # Back, refresh, an old tab, or somebody else's link: SR-101
        if "person" not in session:
            session["notice"] = "trip_lost"
        return redirect("/", 303)
    except ProviderRefused as refusal:
        return _refused(refusal)
    claims = token["userinfo"]
    same_person = session.get("person", {}).get("sub") == claims["sub"]
    _parts().sessions.end(_session())
    names = ("sub", "email", "phone_number", "acr", "auth_time")
    session["person"] = {name: claims[name] for name in names if name in claims}
    session["tokens"] = kept_tokens(token)
    session["sub"], session["sid"] = claims["sub"], claims.get("sid")
    if trip.acr_values and same_person:
        session["notice"] = "confirmed"
    return redirect(trip.back_to if same_person or not trip.acr_values else "/", 303)


def _refused(refusal: ProviderRefused) -> Response:
    """The provider said no. Who was signed in stays so, unless the provider no longer knows them."""
    current_app.logger.info("provider refused: %s", refusal.error)
    if refusal.trip.silent:
        return _over()
    signed_in = "person" in session
    notices = {
        "access_denied": "confirm_cancelled" if signed_in else "cancelled",
        "unmet_authentication_requirements": "unmet" if signed_in else "provider_fault",
    }
    session["notice"] = notices.get(refusal.error, "provider_fault")
    return redirect(refusal.trip.back_to if signed_in else "/", 303)


@pages.post("/logout")
def logout() -> Response:
    """End this session first, then the provider's."""
    id_token = session.get("tokens", {}).get("id_token")
    _parts().sessions.end(_session())
    if not id_token:
        return redirect("/", 303)
    home = url_for("pages.signed_out", _external=False)
    try:
        answer = _parts().provider.sign_out(id_token, home=_parts().url + home, language=g.language)
    except (ProviderUnreachable, RuntimeError):  # no way to end it there: it ends here all the same
        session["notice"] = "signed_out"
        return redirect("/", 303)
    answer.status_code = 303
    return answer


@pages.post("/backchannel-logout")
def backchannel_logout() -> tuple[dict[str, str], int]:
    """The provider says that a session is over, wherever the person signed out (Back-Channel Logout §2.5)."""
    try:
        claims = _parts().provider.notice(request.form.get("logout_token", ""))
    except Untrusted as refusal:
        current_app.logger.info("logout token refused: %s", refusal)
        return {"error": "invalid_request"}, 400
    if not _parts().sessions.first_time(claims["jti"], until=int(claims["exp"]) + 2 * LEEWAY):
        return {"error": "invalid_request"}, 400
    _parts().sessions.end_those_of(sid=claims.get("sid"), sub=claims.get("sub"))
    return {}, 200


@pages.get("/signed-out")
def signed_out() -> Response:
    """Back from the provider's sign-out."""
    session["notice"] = "signed_out"
    for name in [name for name in session if name.startswith("_state_")]:
        session.pop(name)
    return redirect("/", 303)


@pages.get("/health")
def health() -> Response:
    """Whether the process answers."""
    return Response("ok\n", content_type="text/plain")


def _leave(trip: Trip) -> Response:
    answer = _parts().provider.leave(_session(), trip, language=g.language)
    answer.status_code = 303
    return answer


def _own_path(path: str) -> str:
    """The path if it leads to this portal, else the front page (SR-101: no open redirect)."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


@pages.app_errorhandler(ProviderUnreachable)
def provider_away(fault: ProviderUnreachable) -> tuple[str, int]:
    """The provider does not answer: say so, offer to try again."""
    current_app.logger.warning("provider unreachable: %s", fault)
    page = render_template("wrong.html", heading="provider_away_heading", words="provider_away", again="/login")
    return page, 503


@pages.app_errorhandler(HTTPException)
def wrong(fault: HTTPException) -> tuple[str, int]:
    """Wrong addresses, and our own faults."""
    missing = fault.code in {404, 405}
    names = ("missing_heading", "missing") if missing else ("fault_heading", "provider_away")
    return render_template("wrong.html", heading=names[0], words=names[1], again=None), fault.code or 500
