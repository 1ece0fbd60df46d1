"""Smart-ID, RP API v3, as the service and the apps around it: links, pushes, long polls, signatures, callbacks."""

from __future__ import annotations

import hmac
import json
import secrets
import ssl
import time
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from flask import Flask, Response, jsonify, request

from . import clock
from .people import SMART, EidPerson, find, holders
from .script import OUTCOMES, Instruction, Script, Waiting
from .serving import Served
from .smart_id_answers import FAULTS, SCHEME, document_of, named, serial_of, signed
from .smart_id_issuer import Issuer
from .smart_id_requests import Problem, checked

LINK_BASE = "https://smart-id.example/device-link"
LIFE, KEPT = timedelta(minutes=3), timedelta(minutes=5)
QR_AGE, QR_AHEAD = 4, 1
"""Seconds by which a code may be older or newer than the session is."""

MOMENT = timedelta(seconds=1)
"""What a person needs, who answers as was written down before."""

LONGEST_POLL = 2.0
"""Seconds that a question is held here at most."""


@dataclass(kw_only=True)
class Session:
    """One authentication."""

    body: dict[str, Any] = field(repr=False)
    pushed: bool
    asked_for: str | None = field(default=None, repr=False)
    said: Instruction | None = None
    id: str = field(default_factory=lambda: str(uuid4()))
    token: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    secret: str = field(default_factory=lambda: _base64(secrets.token_bytes(32)), repr=False)
    begun: datetime = field(default_factory=clock.now)
    flow: str = ""
    """`QR`, `Web2App` or `Notification`, once the app knows of it."""
    status: dict[str, Any] | None = field(default=None, repr=False)
    ended: datetime | None = None

    @property
    def text(self) -> str:
        """What the app shows."""
        told = json.loads(b64decode(self.body["interactions"]))[0]
        return str(told.get("displayText200") or told.get("displayText60"))

    @property
    def code(self) -> str | None:
        """The verification code of a push."""
        digest = sha256(b64decode(self.body["signatureProtocolParameters"]["rpChallenge"])).digest()
        return f"{int.from_bytes(digest[-2:], 'big') % 10000:04d}" if self.pushed else None


@dataclass
class SmartId:
    """The simulator. `start` serves it; `issuer` has the files a service needs; `requests` what was asked of it."""

    script: Script
    folder: Path
    port: int = 0
    ocsp_port: int = 0
    host: str = "127.0.0.1"
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: Mapping[str, str] = field(default_factory=lambda: FAULTS)

    def __post_init__(self) -> None:
        self.issuer = Issuer(self.folder, port=self.ocsp_port, host=self.host)
        self._lock = RLock()
        self._sessions: dict[str, Session] = {}
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.issuer.server(self.host))
        self._served = Served(self._app(), host=self.host, port=self.port, tls=tls)
        self.port = self._served.port

    @property
    def url(self) -> str:
        """The base address of the RP API."""
        return f"https://{self.host}:{self.port}/v3/"

    def start(self) -> None:
        """Begin to answer."""
        self.issuer.start()
        self._served.start()

    def stop(self) -> None:
        """Stop answering."""
        self._served.stop()
        self.issuer.stop()

    # People and their apps

    def waiting(self) -> Sequence[Waiting]:
        """Pushes, and device links that an app has read, without an answer."""
        with self._lock:
            return [
                Waiting(one.id, SMART, one.text, code=one.code, asked_for=one.asked_for)
                for one in self._sessions.values()
                if one.flow and self._settled(one).status is None
            ]

    def scan(self, content: str) -> str:
        """Read a QR code, or open a link on this device; its authCode is checked bit by bit. Raises ValueError."""
        unprotected, _, code = content.partition("&authCode=")
        given = {name: values[0] for name, values in parse_qs(urlsplit(unprotected).query).items()}
        with self._lock:
            session = next((one for one in self._sessions.values() if one.token == given.get("sessionToken")), None)
            if session is None or session.pushed or not content.startswith(f"{LINK_BASE}?"):
                raise ValueError("no session of Smart-ID has this code")
            kind = given.get("deviceLinkType", "")
            if kind not in ("QR", "Web2App") or not hmac.compare_digest(code, _auth_code(session, unprotected, kind)):
                raise ValueError("the authCode is wrong")
            age = (clock.now() - session.begun).total_seconds()
            if kind == "QR" and not age - QR_AGE <= int(given.get("elapsedSeconds", "-1")) <= age + QR_AHEAD:
                raise ValueError("the code is not of now")
            if kind == "Web2App" and "initialCallbackUrl" not in session.body:
                raise ValueError("the service has said no address to come back to")
            session.flow = kind
            return session.id

    def act(self, transaction_id: str, person: str | None, action: str, *, fault: str | None = None) -> str | None:
        """Answer. The address that the app opens afterwards on this device, if any. Raises LookupError, ValueError."""
        if action not in OUTCOMES or (fault is not None and fault not in FAULTS):
            raise ValueError(f"the action is one of {', '.join(OUTCOMES)}; the fault has to be known")
        with self._lock:
            session = self._sessions.get(transaction_id)
            if session is None or not session.flow or self._settled(session).status is not None:
                raise LookupError("this session does not wait for an answer")
            return self._answer(session, Instruction(person, action, fault))

    # The service

    def _app(self) -> Flask:
        app = Flask(__name__)
        base = "/v3/authentication"
        for flow in ("device-link", "notification"):
            for kind in ("etsi", "document"):
                app.post(f"{base}/{flow}/{kind}/<who>", endpoint=f"{flow}-{kind}")(self._route(flow, kind))
        app.post(f"{base}/device-link/anonymous", endpoint="anonymous")(self._route("device-link", "anonymous"))
        app.get("/v3/session/<session_id>")(self._session)
        app.register_error_handler(Problem, _refused)
        return app

    def _route(self, flow: str, kind: str) -> Any:
        def begin(who: str = "") -> Response:
            return self._begin(flow, kind, who)

        return begin

    def _begin(self, flow: str, kind: str, who: str) -> Response:
        if request.content_type != "application/json":
            raise Problem(415)
        body = checked(request.get_data(), flow)
        self.requests.append((f"{flow}/{kind}", body))
        said = self.script.next(SMART)
        fault = (said.fault if said else None) or ""
        if fault == "start-no-json":
            return Response("<h1>Hooldus</h1>", content_type="text/html")
        if fault.startswith("http-"):
            raise Problem(int(fault.removeprefix("http-")))
        asked_for = None if kind == "anonymous" else self._named(kind, who)
        session = Session(body=body, pushed=flow == "notification", asked_for=asked_for, said=said)
        session.flow = "Notification" if session.pushed else ""
        with self._lock:
            self._sessions[session.id] = session
        if session.pushed:
            return jsonify(sessionID=session.id)
        told = {"sessionToken": session.token, "sessionSecret": session.secret, "deviceLinkBase": LINK_BASE}
        return jsonify({"sessionID": session.id, **told})

    @staticmethod
    def _named(kind: str, who: str) -> str:
        known = serial_of if kind == "etsi" else document_of
        person = next((one for one in holders(SMART) if known(one) == who), None)
        if person is None:
            raise Problem(404)
        return person.number

    def _session(self, session_id: str) -> Response:
        wait = request.args.get("timeoutMs", "60500")
        if not wait.isdigit() or not 1000 <= int(wait) <= 120000:
            raise Problem(400, "timeoutMs")
        until = time.monotonic() + min(int(wait) / 1000, LONGEST_POLL)
        while True:
            with self._lock:
                session = self._sessions.get(session_id)
                if session is None or self._is_forgotten(session):
                    raise Problem(404)
                fault = session.said.fault if session.said else None
                if fault in ("session-404", "session-500"):
                    raise Problem(404 if fault == "session-404" else 500)
                status = self._settled(session).status
            if status is not None or time.monotonic() > until:
                return jsonify(status or {"state": "RUNNING"})
            time.sleep(0.05)

    # How a session goes on

    def _settled(self, session: Session) -> Session:
        """After whatever was due or has run out by now."""
        now = clock.now()
        if session.status is None and session.said is not None and now - session.begun >= MOMENT:
            session.flow = session.flow or "QR"
            self._answer(session, session.said)
        if session.status is None and now - session.begun > LIFE:
            _end(session, "TIMEOUT")
        return session

    @staticmethod
    def _is_forgotten(session: Session) -> bool:
        return session.ended is not None and clock.now() - session.ended > KEPT

    def _answer(self, session: Session, said: Instruction) -> str | None:
        fault = said.fault or ""
        if fault.startswith("end-"):
            _end(session, fault.removeprefix("end-"))
            return self._back(session, None)
        if said.outcome != "approve":
            ends = {"refuse": "USER_REFUSED", "wrong-code": "WRONG_VC", "timeout": "TIMEOUT"}
            if said.outcome in ends:
                _end(session, ends[said.outcome])
            return self._back(session, None) if said.outcome == "refuse" else None
        person = _holder(said.person or session.asked_for)
        if session.asked_for is not None and person.number != session.asked_for and fault != "other-person":
            raise ValueError("the service asks for somebody else")
        made = signed(session.body, person, self.issuer, flow=session.flow, fault=said.fault, now=clock.now())
        session.status, session.ended = made.status, clock.now()
        return self._back(session, made.verifier, fault)

    @staticmethod
    def _back(session: Session, verifier: str | None, fault: str = "") -> str | None:
        if session.flow != "Web2App":
            return None
        secret = secrets.token_bytes(32) if fault == "callback-other-digest" else b64decode(session.secret)
        address = f"{session.body['initialCallbackUrl']}&sessionSecretDigest={_url(sha256(secret).digest())}"
        return f"{address}&userChallengeVerifier={verifier}" if verifier else address


def _end(session: Session, end: str) -> None:
    session.status, session.ended = {"state": "COMPLETE", "result": {"endResult": end}}, clock.now()


def _auth_code(session: Session, unprotected: str, kind: str) -> str:
    body = session.body
    payload = "|".join(
        (
            SCHEME,
            "ACSP_V2",
            body["signatureProtocolParameters"]["rpChallenge"],
            named(body["relyingPartyName"]),
            "",
            body["interactions"],
            "" if kind == "QR" else body.get("initialCallbackUrl", ""),
            unprotected,
        )
    )
    return _url(hmac.digest(b64decode(session.secret), payload.encode(), "sha256"))


def _holder(number: str | None) -> EidPerson:
    person = find(number) if number else holders(SMART)[0]
    if person is None or SMART not in person.eids:
        raise ValueError("this person has no Smart-ID")
    return person


def _refused(problem: Problem) -> Response:
    body = json.dumps(problem.body())
    return Response(body, problem.status, content_type="application/problem+json")


def _url(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()
