"""The phone network's gateway, the inbox as JSON, and the inbox as a page."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from .faults import MODES, Fault, Faults
from .inbox import Channel, Inbox, Message

pages = Blueprint("outside", __name__)

PHONE_CHANNELS: dict[str, Channel] = {"sms": "sms", "call": "call", "voice": "call"}
PUBLIC_FIELDS = ("id", "channel", "to", "subject", "text", "html", "time")
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
SHORT_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages work with. `token`: what the gateway wants as a bearer token, if anything."""

    inbox: Inbox
    faults: Faults
    token: str | None


def create_app(inbox: Inbox, faults: Faults, *, token: str | None = None) -> Flask:
    """The outside world's web side. `token`: what the gateway wants as a bearer token, if anything."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    app.extensions["outside"] = Parts(inbox, faults, token)
    app.register_blueprint(pages)
    return app


def _parts() -> Parts:
    parts: Parts = current_app.extensions["outside"]
    return parts


@pages.post("/gateway")
def gateway() -> Response:
    """Send a text message or make a call: `{"channel", "to", "text", "language", "id"}`, once per id."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = _parts().token
    if token is not None and not hmac.compare_digest(given.encode(), token.encode()):
        abort(401, "the bearer token is missing or wrong")
    wanted = request.get_json()
    needed = [wanted.get(name) for name in ("channel", "to", "text", "id")] if isinstance(wanted, dict) else [None]
    if not all(isinstance(value, str) and value for value in needed) or wanted["channel"] not in PHONE_CHANNELS:
        abort(400, "channel (sms or call), to, text and id are needed, as text")
    return _delivered(PHONE_CHANNELS[wanted["channel"]], wanted)


def _delivered(channel: Channel, wanted: dict[str, object]) -> Response:
    """Deliver the message, or meet the fault that is switched on."""
    fault = _parts().faults.next(channel)
    if fault.mode in {"slow", "silent"}:
        time.sleep(fault.seconds)
    if fault.mode == "cut":
        return Response(_half_an_answer(), 202, {"Content-Length": "100"})
    if fault.mode == "refuse":
        abort(422, "this number cannot be reached")
    if fault.mode in {"busy", "silent"}:
        abort(503, "not now")
    if fault.mode != "lose":
        language = str(wanted["language"]) if wanted.get("language") else None
        to, text, sender_id = str(wanted["to"]), str(wanted["text"]), str(wanted["id"])
        _parts().inbox.deliver(channel, to, text, language=language, sender_id=sender_id)
    answer = jsonify(id=wanted["id"], status="accepted")
    answer.status_code = 202
    return answer


def _half_an_answer() -> Iterator[bytes]:
    yield b'{"id":'


@pages.post("/faults")
def switch() -> Response:
    """Misbehave: `{"channel", "mode", "seconds"?, "times"?}`. GET shows the modes."""
    wanted = request.get_json()
    try:
        times = wanted.get("times")
        seconds = float(wanted.get("seconds", 30))
        fault = Fault(str(wanted.get("mode")), seconds, None if times is None else int(times))
        _parts().faults.set(str(wanted.get("channel")), fault)
    except (AttributeError, TypeError, ValueError) as problem:
        abort(400, str(problem))
    return show()


@pages.get("/faults")
def show() -> Response:
    """The modes there are, and the one each channel is in."""
    present = _parts().faults.shown()
    return jsonify(modes=MODES, faults={channel: asdict(fault) for channel, fault in present.items()})


@pages.get("/messages")
def messages() -> Response:
    """Messages after `since` to exactly `to`, oldest first."""
    try:
        since = int(request.args.get("since") or 0)
    except ValueError:
        abort(400, "since is the id of a message")
    found = _parts().inbox.messages(to=_recipient(), since=since)
    return jsonify([{name: getattr(message, name) for name in PUBLIC_FIELDS} for message in found])


@pages.get("/")
def page() -> str:
    """The inbox for people: newest first."""
    to = _recipient()
    return render_template("inbox.html", messages=_parts().inbox.newest(containing=to), to=to)


@pages.get("/messages/<int:message_id>/html")
def html(message_id: int) -> Response:
    """A mail as a mail program would draw it, without scripts and without the network."""
    message = _parts().inbox.message(message_id)
    if message is None or message.html is None:
        abort(404, "no such mail, or it has no HTML")
    answer = Response(message.html, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = MAIL_POLICY
    return answer


@pages.app_template_filter()
def code(message: Message) -> str | None:
    """The six-digit code in a message, to be shown large."""
    found = SHORT_CODE.search(f"{message.subject or ''} {message.text}")
    return found.group() if found else None


@pages.app_template_filter()
def clock(message: Message) -> str:
    """Hours, minutes, seconds."""
    return message.time[11:19]


@pages.app_errorhandler(HTTPException)
def refused(fault: HTTPException) -> tuple[Response, int]:
    """Every refusal as JSON."""
    return jsonify(error=fault.description), fault.code or 500


@pages.after_app_request
def keep_to_itself(answer: Response) -> Response:
    """Nothing on these pages reaches the network, whatever a message holds."""
    answer.headers.setdefault("Content-Security-Policy", POLICY)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _recipient() -> str:
    """The address or number asked for. A plus sign that came unescaped arrives as a space."""
    to = request.args.get("to", "")
    return "+" + to.strip() if to.startswith(" ") and to.strip().isdigit() else to.strip()
