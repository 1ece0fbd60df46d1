"""Every page in every state, with contexts as the engine gives them, drawn by a minimal application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from flask import Flask, Response
from flask_babel import gettext

from idp.cookies import Cookies
from idp.settings import Settings
from idp.web import assets, errors, headers, locale, pages, texts

ROOT = Path(__file__).parents[2]
SETTINGS = msgspec.convert({"server": {"issuer": "https://login.example"}}, Settings)
LINKS = {
    name: f"/journey/x/{name}"
    for name in (
        "sign_in", "sign_up", "forgot", "change_email", "change_number", "other_way", "lost_phone", "continue", "back",
        "second_step", "code", "start", "again", "other_eid", "eid_status", "home",
        "recover", "recover_by",
    )
}  # fmt: skip

CODE = {"state": "open", "wait": 0, "minutes": 10}
TEXT = {**CODE, "channel": "sms", "other_channel": "voice", "last_digits": "67", "channels": ("sms", "voice")}
CALL = {**TEXT, "channel": "voice", "other_channel": "sms"}
NEW_NUMBER = {**TEXT, "number": "+4791234567"}
MAIL = {
    **CODE,
    "email": "kari.nordmann@example.no",
    "purpose": "sign-up",
    "sender": "no-reply@login.example",
    "minutes": 30,
}
FROM_OWN_MAILBOX = {**MAIL, "purpose": "lost-phone-support"}
LOGIN = {"email": "kari.nordmann@example.no", "fixed": False, "suggest": False, "passkey": True}
SECOND = {"last_digits": "67", "channels": ("sms", "voice"), "ways": ()}
EVERY_WAY = {**SECOND, "ways": ("passkey", "totp", "recovery_code")}
ADDRESS = {"email": "kari.nordmann@example.no", "slip": None, "work_email": False}
PASSWORD = {"email": "kari.nordmann@example.no", "minimum": 12, "present": False, "change": False}
PHONE = {"country": "NO", "number": "", "countries": SETTINGS.phones.countries, "finishing": False, "change": False}
CONSENT = {
    "client_name": "Feriehjelpen",
    "client_host": "feriehjelpen.example",
    "policy_uri": "https://feriehjelpen.example/privacy",
    "tos_uri": "https://feriehjelpen.example/terms",
    "scopes": ("openid", "email", "payslips"),
}
FAULT = {"reference": "7K3F-92QD", "time": datetime(2026, 11, 23, 13, 35, tzinfo=UTC), "technical": ""}
EIDS = {
    "recovers": False,
    "eids": [
        {"name": "norwegian-bankid", "label": "BankID", "ways": ("redirect",)},
        {"name": "swedish-bankid", "label": "BankID (Sverige)", "ways": ("qr", "this-device")},
        {"name": "smart-id", "label": "Smart-ID", "ways": ("device-link", "notification")},
    ],
}
CONFIRMATION = {"eid": "BankID", "at": datetime(2026, 11, 23, 13, 35, tzinfo=UTC), "service": "Alumniportalen"}
SECURITY = {
    "passkeys": 2,
    "email": "kari.nordmann@example.no",
    "password_set_at": datetime(2026, 8, 31, tzinfo=UTC),
    "last_digits": "67",
    "undoable": [],
    "confirmed": CONFIRMATION,
    "ways": ("totp", "sms", "voice", "recovery_code"),
    "codes_left": 7,
    "only_phone": False,
    "devices": 2,
    "last_activity": CONFIRMATION["at"],
    "services": 1,
    "language": "Norsk bokmål",
}
ACTIVITY = {
    "events": [
        {"at": CONFIRMATION["at"], "text": "Du logget inn.", "service": "Alumniportalen"},
        {"at": CONFIRMATION["at"], "text": "En kode ble sendt til deg.", "service": None},
    ],
    "older": "/account/activity?before=7",
    "newest": "/account/activity",
    "devices": "/account/devices",
    "password": "/account/password",
}
SERVICE = {
    "id": "c_a",
    "name": "Feriehjelpen",
    "may": ("E-postadressen din", "Lønnsslippene dine"),
    "since": CONFIRMATION["at"],
    "received": ("E-postadressen din",),
    "last": CONFIRMATION["at"],
}
MY_DATA = {"json": "/account/data/my-data.json", "html": "/account/data/my-data.html", "proved": False}
PREFERENCES = {
    "languages": [("nb", "Norsk bokmål"), ("en", "English")],
    "language": "nb",
    "zones": [("Europe/London", "London"), ("Europe/Oslo", "Oslo")],
    "zone": "Europe/Oslo",
}
DEVICES: dict[str, Any] = {
    "this": "a",
    "remembered": [
        {
            "id": "r",
            "device": "Safari på iPhone",
            "proved_at": CONFIRMATION["at"],
            "used_at": CONFIRMATION["at"],
            "expires_at": CONFIRMATION["at"],
        }
    ],
    "places": {"a": "Trondheim, Norge", "b": ""},
    "devices": [
        {"sid": "a", "device": "Safari på iPhone", "last_seen": CONFIRMATION["at"], "started_at": CONFIRMATION["at"]},
        {"sid": "b", "device": "", "last_seen": CONFIRMATION["at"], "started_at": CONFIRMATION["at"]},
    ],
}
NOTHING_YET = {
    "password_set_at": None,
    "last_digits": None,
    "confirmed": None,
    "ways": ("sms", "voice"),
    "codes_left": None,
    "only_phone": True,
    "devices": 1,
    "last_activity": None,
}
ASKED = {
    "kind": "device",
    "client_name": "TV-en i stua",
    "email": "kari.nordmann@example.no",
    "scopes": ("openid", "email", "offline_access"),
    "message": "",
    "network": "203.0.113.0/24",
    "same_network": False,
    "asked_at": datetime(2026, 11, 23, 13, 35, tzinfo=UTC),
}
CALLED = {**ASKED, "kind": "backchannel", "client_name": "Kundesenteret", "message": "Sak 4711"}
CODE_TYPED = (("typed", {"user-code": "WDJB-MJHT"}),)
UNTIL = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
PASSKEY = {
    "id": "x",
    "name": "Google Password Manager",
    "is_synced": True,
    "created_at": UNTIL,
    "last_used_at": UNTIL,
}
PASSKEYS = {"passkeys": [PASSKEY, {**PASSKEY, "name": "", "is_synced": False, "last_used_at": None}], "on": True}
REMOVING = {"one": PASSKEY, "left": ("sms",), "is_last": False, "may_go": True}
QR = f"bankid.67df3917-fa0d-44e5-b327-edcc928297f8.12.{'dc69358e712458a66a7525beef148ae8' * 2}"
WAITING = {
    "eid": "Smart-ID",
    "issuer": "Smart-ID",
    "again": "start:smart-id:device-link",
    "end": "stopped",
    "qr": None,
    "link": None,
    "code": None,
    "hint": "start-app",
}
RESULTS = ("approved", "rejected", "expired", "other-account")
APP = {
    "key": "ABCD EFGH IJKL MNOP QRST UVWX YZ23 4567",
    "link": "otpauth://totp/Alumni%20ID:kari.nordmann%40example.no?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567&issuer=Alumni%20ID",
    "qr": None,
}
NEW_CODES = {
    "codes": [f"4F7K{number}-Q2MXD-8TRVH" for number in "23456789AB"],
    "address": "k***@example.no",
    "made_at": CONFIRMATION["at"],
}
ENDS = ("stopped", "timeout", "blocked", "other-account", "other-person", "down")
NOT_YET = "We have not heard from the app yet. Wait a moment, and press again."
CONFIRMED = "Your email address is confirmed. You can now continue."
NEW_CODE = "We have sent a new code. Use the newest one."
UNDOABLE = [
    {"id": "a", "kind": "email", "before": "kari@example.no", "ending": "", "at": UNTIL, "until": UNTIL},
    {"id": "b", "kind": "phone", "before": "", "ending": "67", "at": UNTIL, "until": UNTIL},
]


@dataclass(frozen=True)
class Sample:
    """One page in one state."""

    name: str
    page: str
    shown: dict[str, Any]
    faults: tuple[tuple[str, str, dict[str, str | int]], ...] = ()
    notice: str = ""
    status: int = 200
    journey: str = "sign-in"
    more: tuple[tuple[str, Any], ...] = ()


def _one(field: str, key: str, **values: str | int) -> tuple[tuple[str, str, dict[str, str | int]], ...]:
    return ((field, key, values),)


SAMPLES = (
    Sample("login", "login", LOGIN),
    Sample(
        "login-empty",
        "login",
        {**LOGIN, "email": ""},
        (*_one("email", "E-EMAIL-EMPTY"), *_one("password", "E-PW-EMPTY")),
        status=422,
    ),
    Sample("login-missed", "login", {**LOGIN, "suggest": True}, _one("email", "E-LOGIN"), status=422),
    Sample("login-wait", "login", LOGIN, _one("email", "E-WAIT", n=4), status=429),
    Sample("login-recheck", "login", {**LOGIN, "fixed": True}, notice="Sign in again to confirm that it is you."),
    Sample("second-step", "second-step", SECOND),
    Sample("recheck", "recheck", {**LOGIN, "fixed": True}, journey="change-password"),
    Sample(
        "recheck-missed",
        "recheck",
        {**LOGIN, "fixed": True},
        _one("email", "E-LOGIN"),
        status=422,
        journey="change-password",
    ),
    Sample("second-step-ways", "second-step", EVERY_WAY),
    Sample("app-code", "app-code", EVERY_WAY),
    Sample("app-code-used", "app-code", EVERY_WAY, _one("code", "E-CODE-USED"), status=422),
    Sample("app-code-wrong", "app-code", {**EVERY_WAY, "channels": ()}, _one("code", "E-APP-CODE-WRONG"), status=422),
    Sample("recovery-code", "recovery-code", {**SECOND, "ways": ("totp", "recovery_code")}),
    Sample("recovery-code-wrong", "recovery-code", EVERY_WAY, _one("recovery-code", "E-RC-WRONG"), status=422),
    Sample("recovery-code-used", "recovery-code", EVERY_WAY, _one("recovery-code", "E-RC-USED"), status=422),
    Sample("codes-left", "codes-left", {"left": 9, "few": False}),
    Sample("codes-left-few", "codes-left", {"left": 1, "few": True}),
    Sample("set-up-app", "set-up-app", APP, journey="add-app"),
    Sample("set-up-app-wrong", "set-up-app", APP, _one("code", "E-APP-CODE-WRONG"), status=422, journey="add-app"),
    Sample("make-codes", "make-codes", {"left": 0}, journey="new-recovery-codes"),
    Sample("make-codes-anew", "make-codes", {"left": 7}, journey="new-recovery-codes"),
    Sample("save-codes", "save-codes", NEW_CODES, journey="new-recovery-codes"),
    Sample(
        "save-codes-unsaved",
        "save-codes",
        NEW_CODES,
        _one("saved", "E-SAVED"),
        status=422,
        journey="new-recovery-codes",
    ),
    Sample("second-step-landline", "second-step", {**SECOND, "channels": ("voice",)}),
    Sample("phone-code-sms", "phone-code", {**TEXT, "wait": 27}),
    Sample("phone-code-remember", "phone-code", {**TEXT, "remember": 30}),
    Sample("phone-code-call", "phone-code", CALL),
    Sample("phone-code-until", "phone-code", {**TEXT, "until": UNTIL}),
    Sample("phone-code-new-number", "phone-code", NEW_NUMBER, journey="sign-up"),
    Sample(
        "phone-code-new-call",
        "phone-code",
        {**NEW_NUMBER, "channel": "voice", "other_channel": None},
        journey="sign-up",
    ),
    Sample("phone-code-wrong", "phone-code", TEXT, _one("code", "E-CODE-WRONG", n=1), status=422),
    Sample("phone-code-new-sent", "phone-code", {**TEXT, "wait": 60}, notice=NEW_CODE),
    Sample(
        "phone-code-expired", "phone-code", {**TEXT, "state": "expired"}, _one("code", "E-CODE-EXPIRED"), status=422
    ),
    Sample("phone-code-run-out", "phone-code", {**TEXT, "state": "expired"}),
    Sample("phone-code-spent", "phone-code", {**TEXT, "state": "spent", "wait": 1}),
    Sample("phone-code-failed", "phone-code", {**TEXT, "state": "failed"}),
    Sample("phone-code-call-failed", "phone-code", {**CALL, "state": "failed"}),
    Sample("phone-code-used", "phone-code", {**TEXT, "state": "used"}),
    Sample("email-code", "email-code", MAIL, journey="sign-up"),
    Sample("email-code-reset", "email-code", {**MAIL, "purpose": "reset", "minutes": 10, "wait": 120}, journey="reset"),
    Sample("email-code-short", "email-code", MAIL, _one("code", "E-CODE-SHORT", n=4), status=422, journey="sign-up"),
    Sample("email-code-spent", "email-code", {**MAIL, "state": "spent"}, _one("code", "E-CODE-SPENT"), status=422),
    Sample("email-code-failed", "email-code", {**MAIL, "state": "failed"}),
    Sample("email-code-used", "email-code", {**MAIL, "state": "used"}),
    Sample("email", "email", {**ADDRESS, "email": ""}, journey="sign-up"),
    Sample("email-wrong", "email", ADDRESS, _one("email", "E-EMAIL-AFTER"), status=422, journey="sign-up"),
    Sample("email-slip", "email", {**ADDRESS, "email": "kari@gmial.com", "slip": "kari@gmail.com"}, journey="sign-up"),
    Sample("email-work", "email", {**ADDRESS, "work_email": True}, journey="sign-up"),
    Sample("have-account", "have-account", ADDRESS, journey="sign-up"),
    Sample("password", "password", PASSWORD, notice=CONFIRMED, journey="sign-up"),
    Sample(
        "password-wrong",
        "password",
        PASSWORD,
        status=422,
        journey="sign-up",
        faults=(
            *_one("new-password", "E-PW-SHORT", n=12),
            *_one("new-password", "E-PW-COMMON"),
            *_one("confirm-password", "E-PW-MISMATCH"),
        ),
    ),
    Sample("phone", "phone", PHONE, journey="sign-up"),
    Sample("phone-finishing", "phone", {**PHONE, "finishing": True}),
    Sample(
        "phone-wrong",
        "phone",
        {**PHONE, "country": "GR"},
        _one("tel", "E-TEL-SHORT", country="GR"),
        status=422,
        journey="sign-up",
    ),
    Sample("change-phone", "phone", {**PHONE, "change": True}, journey="change-phone"),
    Sample("new-email", "new-email", {"email": "", "now": "kari.nordmann@example.no"}, journey="change-email"),
    Sample(
        "new-email-same",
        "new-email",
        {"email": "", "now": "kari.nordmann@example.no"},
        _one("email", "E-EMAIL-SAME"),
        status=422,
        journey="change-email",
    ),
    Sample("new-email-code", "email-code", {**MAIL, "purpose": "change-email"}, journey="change-email"),
    Sample("done", "done", {}, journey="sign-up"),
    Sample("forgot", "forgot", ADDRESS, journey="reset"),
    Sample("forgot-wrong", "forgot", ADDRESS, _one("email", "E-EMAIL-AT"), status=422, journey="reset"),
    Sample("new-password", "new-password", PASSWORD, journey="reset"),
    Sample(
        "change-password",
        "new-password",
        {**PASSWORD, "present": True, "change": True},
        _one("password", "E-PW-CURRENT"),
        status=422,
        journey="change-password",
    ),
    Sample(
        "new-password-same", "new-password", PASSWORD, _one("new-password", "E-PW-SAME"), status=422, journey="reset"
    ),
    Sample("other-step-needed", "other-step-needed", {"accepted": ("passkey", "totp")}),
    Sample("passkey-stopped", "passkey", {**LOGIN, "state": "stopped", "second": False}),
    Sample(
        "passkey-unknown",
        "passkey",
        {**LOGIN, "state": "unknown", "second": False, "signal": '{"signalUnknownCredential": {}}'},
        status=422,
    ),
    Sample("passkey-second", "passkey", {**EVERY_WAY, "state": "", "second": True}),
    Sample("new-passkey", "new-passkey", {"state": "", "change": False, "passkey": True}),
    Sample("new-passkey-wished", "new-passkey", {"state": "", "change": True, "passkey": True}, journey="add-passkey"),
    Sample("new-passkey-made", "new-passkey", {"state": "made", "change": False, "passkey": False}),
    Sample("new-passkey-stopped", "new-passkey", {"state": "stopped", "change": False, "passkey": True}, status=422),
    Sample("passkeys", "passkeys", {**PASSKEYS, "passkey": True, "signals": ""}),
    Sample("passkeys-none", "passkeys", {"passkeys": [], "on": True, "passkey": True, "signals": ""}),
    Sample("passkey-name", "passkey-name", {"one": PASSKEY}, _one("nickname", "E-NICK-LONG"), status=422),
    Sample("passkey-remove", "passkey-remove", REMOVING),
    Sample("passkey-remove-last", "passkey-remove", {**REMOVING, "is_last": True}),
    Sample("passkey-remove-only", "passkey-remove", {**REMOVING, "is_last": True, "may_go": False}),
    Sample("lost-phone", "lost-phone", {"open": [], "eid": False, "support": False}),
    Sample("lost-phone-ways", "lost-phone", {"open": ["totp"], "eid": True, "support": True}),
    Sample("lost-phone-code", "email-code", {**FROM_OWN_MAILBOX, "state": "open"}, journey="lost-phone-support"),
    Sample("lost-phone-first", "email-code", {**FROM_OWN_MAILBOX, "state": "unsent"}, journey="lost-phone-support"),
    Sample("support-code", "support-code", {}, journey="lost-phone-support"),
    Sample("support-code-wrong", "support-code", {}, _one("support-code", "E-SUPPORT-WRONG"), status=422),
    Sample("phone-waits", "phone-waits", {"until": UNTIL}),
    Sample("eid-recovers", "eid", {**EIDS, "recovers": True}, journey="lost-phone-eid"),
    Sample("already", "already", {"email": "kari.nordmann@example.no"}),
    Sample(
        "accounts",
        "accounts",
        {"accounts": [("session", "kari.nordmann@example.no"), ("b", "ola.nordmann.den.lange@example.no")]},
    ),
    Sample("consent", "consent", CONSENT),
    Sample("consent-unverified", "consent", {**CONSENT, "unverified": True}),
    Sample("consent-optional", "consent", {**CONSENT, "optional": ("email", "payslips")}),
    Sample("eid", "eid", EIDS),
    Sample("eid-wait-code", "eid-wait", {**WAITING, "qr": QR}),
    Sample("eid-wait-either", "eid-wait", {**WAITING, "qr": QR, "link": "https://smart-id.example/device-link"}),
    Sample("eid-wait-link", "eid-wait", {**WAITING, "link": "bankid:///?autostarttoken=x", "hint": "open-app"}),
    Sample("eid-wait-push", "eid-wait", {**WAITING, "code": "7180", "hint": "enter-code"}),
    Sample("eid-wait-answering", "eid-wait", {**WAITING, "hint": "enter-code"}, notice=NOT_YET),
    *(Sample(f"eid-result-{end}", "eid-result", {**WAITING, "end": end}) for end in ENDS),
    Sample("eid-elsewhere", "eid-elsewhere", {}, status=403),
    Sample("security", "security", SECURITY),
    Sample("security-new", "security", {**SECURITY, **NOTHING_YET}),
    Sample("devices", "devices", DEVICES),
    Sample("activity", "activity", ACTIVITY),
    Sample("activity-none", "activity", {**ACTIVITY, "events": [], "older": None, "newest": None}),
    Sample("services", "services", {"services": [SERVICE, {**SERVICE, "id": "c_b", "name": "Ola", "last": None}]}),
    Sample("services-none", "services", {"services": []}),
    Sample("language", "language", PREFERENCES),
    Sample(
        "language-wrong",
        "language",
        PREFERENCES,
        (*_one("language", "E-CHOICE"), *_one("time-zone", "E-CHOICE")),
        status=422,
    ),
    Sample("data", "data", MY_DATA),
    Sample("data-proved", "data", {**MY_DATA, "proved": True}),
    Sample("erase", "erase", {"days": 7}),
    Sample("left", "left", {}),
    Sample("leaving", "leaving", {"on": CONFIRMATION["at"]}),
    Sample("devices-one", "devices", {**DEVICES, "devices": DEVICES["devices"][:1], "remembered": []}),
    Sample("electronic-id", "electronic-id", {"confirmations": [CONFIRMATION, {**CONFIRMATION, "service": None}]}),
    Sample("electronic-id-none", "electronic-id", {"confirmations": []}),
    Sample("authenticator-app", "authenticator-app", {"added_at": CONFIRMATION["at"]}),
    Sample("authenticator-app-none", "authenticator-app", {"added_at": None}),
    Sample("remove-app", "remove-app", {"may": True}),
    Sample("remove-app-last", "remove-app", {"may": False}),
    Sample("recovery-codes", "recovery-codes", {"codes": SimpleNamespace(count=7, made_at=CONFIRMATION["at"])}),
    Sample("recovery-codes-none", "recovery-codes", {"codes": None}),
    Sample("security-undo", "security", {**SECURITY, "undoable": ["email", "phone"]}),
    Sample("remove-phone", "remove-phone", {"last_digits": "67", "may_go": True}),
    Sample("remove-phone-only", "remove-phone", {"last_digits": "67", "may_go": False}),
    Sample("undo-changes", "undo-changes", {"changes": UNDOABLE}),
    Sample("undo-changes-none", "undo-changes", {"changes": []}),
    Sample("undo", "undo", {}),
    Sample("undo-wrong", "undo", {}, _one("undo-code", "E-UNDO-WRONG"), status=422),
    Sample("undone", "undone", {}),
    Sample("sign-out", "sign-out", {}),
    Sample("signed-out", "signed-out", {}),
    Sample("signed-out-unreached", "signed-out", {"unreached": ("Feriehjelpen",)}),
    Sample("signed-out-under-way", "signed-out", {"again": "/signed-out?told=x&again=1"}),
    Sample(
        "signed-out-onward",
        "signed-out",
        {"onward": "https://portal.example/out", "frames": ["https://portal.example/front?sid=s"]},
        more=(("frame_origins", ("https://portal.example",)),),
    ),
    Sample(
        "start",
        "start",
        {"services": [("Alumni", "https://portal.example/"), ("Feriehjelpen", "https://ferie.example/")]},
    ),
    Sample("start-without", "start", {"services": []}),
    Sample("start-devices", "start", {"services": [], "devices": True}),
    Sample("device-code", "device-code", {}, more=(("typed", {"user-code": ""}),)),
    Sample("device-code-given", "device-code", {}, more=CODE_TYPED),
    Sample("device-code-wrong", "device-code", {}, _one("user-code", "E-USER-CODE-WRONG"), status=422, more=CODE_TYPED),
    Sample("device-code-wait", "device-code", {}, _one("user-code", "E-WAIT", n=42), status=429, more=CODE_TYPED),
    Sample("device-approve", "device-approve", ASKED),
    Sample("device-approve-near", "device-approve", {**ASKED, "same_network": True}),
    Sample("device-approve-called", "device-approve", CALLED),
    *(Sample(f"device-result-{state}", "device-result", {**ASKED, "state": state}) for state in RESULTS),
    Sample("device-result-called", "device-result", {**CALLED, "state": "approved"}),
    Sample("help", "help", {}),
    Sample("privacy", "privacy", {}),
    Sample("terms", "terms", {}),
    Sample("accessibility", "accessibility", {}),
    Sample(
        "form-post",
        "form-post",
        {"answer": {"code": "c" * 43, "state": "s"}},
        more=(("action", "https://portal.example/callback"), ("client_origin", "https://portal.example")),
    ),
    Sample("expired", "expired", {}, status=410),
    Sample("wait", "wait", {"minutes": 42, "state": "open"}, status=429),
    Sample("wait-first", "wait", {"minutes": 42}, status=429),
    Sample("locked", "locked", {"minutes": 1}, status=429),
    Sample("cookies", "cookies", {}),
    Sample("no-access", "no-access", {"ended": datetime(2026, 8, 31, tzinfo=UTC)}, status=403),
    Sample("closed", "closed", {}, status=403),
    Sample("bad-link", "bad-link", {**FAULT, "technical": "invalid_request: redirect_uri"}, status=400),
    Sample("bad-link-nobody", "bad-link", FAULT, status=400, more=(("service", None),)),
    Sample("bad-request", "bad-request", {}, status=400),
    Sample("too-large", "too-large", {}, status=413),
    Sample("not-found", "not-found", {}, status=404),
    Sample("fault", "fault", FAULT, status=500),
    Sample("unavailable", "unavailable", FAULT, status=503),
    Sample("pause", "pause", {"until": UNTIL}, status=503),
)
PASSING = ("form-post", "signed-out-onward")
"""Those that do not stay where a script runs."""

BY_NAME = {sample.name: sample for sample in SAMPLES}


def application(**changes: Any) -> Flask:
    """An application of pages only, at `/show/<sample>`. Changes are Flask's (upper case) or of [service]."""
    service = {name: value for name, value in changes.items() if name.islower()}
    settings = msgspec.structs.replace(SETTINGS, service=msgspec.structs.replace(SETTINGS.service, **service))
    app = Flask("idp", static_folder=None, template_folder=str(ROOT / "templates"))
    app.config.update({name: value for name, value in changes.items() if name.isupper()})
    app.extensions["settings"] = settings
    app.extensions["idp"] = SimpleNamespace(interactions=SimpleNamespace(look=lambda *_, **__: None), store=None)
    locale.install(app, settings, Cookies(secure=False))
    pages.install(app, settings)
    assets.install(app)
    headers.install(app, settings)
    errors.install(app, settings)
    app.add_url_rule("/show/<name>", "show", lambda name: draw(BY_NAME[name]))
    return app


def draw(sample: Sample) -> Response:
    """The sample's page, as a view would draw it."""
    view: dict[str, Any] = {
        "page": sample.page,
        "status": sample.status,
        "journey_id": "x",
        "journey": sample.journey,
        "form": "token",
        "action": f"/journey/x/{sample.journey}/{sample.page}",
        "errors": [{"field": field, "text": texts.error_text(key, values)} for field, key, values in sample.faults],
        "typed": {"email": "kari.nordmann@"} if sample.faults and "email" in sample.shown else {},
        "shown": dict(sample.shown),
        "notices": [{"kind": "success" if sample.notice is CONFIRMED else "info", "text": _said(sample.notice)}]
        if sample.notice
        else [],
        "service": "Alumni",
        "links": LINKS,
        **dict(sample.more),
    }
    return pages.render(view)


def _said(text: str) -> str:
    return str(gettext(text))


@contextmanager
def speaking(app: Flask, language: str) -> Iterator[None]:
    """A request in that language."""
    with app.test_request_context(headers={"Accept-Language": language}):
        yield
