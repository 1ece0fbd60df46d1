"""Smart-ID, RP API v3, as the service and the apps around it: links, pushes, long polls, signatures, callbacks."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event, RLock
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from . import clock
from .people import SMART, EidPerson, find, holders
from .script import OUTCOMES, Instruction, Script, Waiting
from .serving import Served
from .smart_id_answers import FAULTS, document_of, ended, serial_of, signed
from .smart_id_formulas import link
from .smart_id_issuer import Issuer
from .smart_id_requests import Problem, checked, ensure_identifier
from .smart_id_session import KEPT, LIFE, LINK_BASE, Session, back, ensure_true

MOMENT = timedelta(seconds=1)
"""What a person needs, who answers as was written down before."""

LONGEST_REQUEST = 64 * 1024
"""Bytes."""


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
    addresses: frozenset[str] = frozenset({"127.0.0.1"})
    """Where the service may call from, as the contract says."""

    def __post_init__(self) -> None:
        self.issuer = Issuer(self.folder, port=self.ocsp_port, host=self.host)
        self._lock = RLock()
        self._sessions: dict[str, Session] = {}
        self._stopped = Event()
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
        self._stopped.set()
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
        given = link(content)
        with self._lock:
            session = next((one for one in self._sessions.values() if one.token == given.token), None)
            if session is None or session.pushed or given.base != LINK_BASE or given.session != "auth":
                raise ValueError("no session of Smart-ID has this code")
            ensure_true(session, given)
            if self._settled(session).status is not None:
                raise ValueError("this session is over")
            if session.flow not in ("", given.kind):
                raise ValueError("another app has this session already")
            session.flow = given.kind
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
        app.config["MAX_CONTENT_LENGTH"] = LONGEST_REQUEST
        base = "/v3/authentication"
        for flow in ("device-link", "notification"):
            for kind in ("etsi", "document"):
                app.post(f"{base}/{flow}/{kind}/<who>", endpoint=f"{flow}-{kind}")(self._route(flow, kind))
        app.post(f"{base}/device-link/anonymous", endpoint="anonymous")(self._route("device-link", "anonymous"))
        app.get("/v3/session/<session_id>")(self._session)
        app.before_request(self._known)
        app.register_error_handler(Problem, _refused)
        app.register_error_handler(HTTPException, lambda problem: _refused(Problem(problem.code or 500)))
        return app

    def _known(self) -> None:
        if request.remote_addr not in self.addresses:
            raise Problem(401)

    def _route(self, flow: str, kind: str) -> Any:
        def begin(who: str = "") -> Response:
            return self._begin(flow, kind, who)

        return begin

    def _begin(self, flow: str, kind: str, who: str) -> Response:
        if request.mimetype != "application/json":
            raise Problem(415)
        body = checked(request.get_data(), flow)
        if kind != "anonymous":
            ensure_identifier(kind, who)
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
            self._sessions = {one.id: one for one in self._sessions.values() if not self._is_forgotten(one)}
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
        if not (wait.isascii() and wait.isdigit()) or not 1000 <= int(wait) <= 120000:
            raise Problem(400, "timeoutMs")
        until = time.monotonic() + int(wait) / 1000
        while True:
            with self._lock:
                session = self._sessions.get(session_id)
                if session is None or self._is_forgotten(session):
                    raise Problem(404)
                fault = session.said.fault if session.said else None
                if fault in ("session-404", "session-500"):
                    raise Problem(404 if fault == "session-404" else 500)
                status = self._settled(session).status
            if status is not None or time.monotonic() > until or self._stopped.wait(0.05):
                return jsonify(status or {"state": "RUNNING"})

    # How a session goes on

    def _settled(self, session: Session) -> Session:
        """After whatever was due or has run out by now."""
        now = clock.now()
        if session.status is None and session.said is not None and now - session.begun >= MOMENT:
            self._say(session, session.said)
        if session.status is None and now - session.begun > LIFE:
            session.end(ended("TIMEOUT", session.body), session.begun + LIFE)
        return session

    def _say(self, session: Session, said: Instruction) -> None:
        """Answer as was written down before; if that cannot be, it waits for somebody at the phone."""
        before = session.flow
        session.flow = before or "QR"
        try:
            self._answer(session, said)
        except ValueError:  # somebody else was named than the one asked for, or nobody who has this eID
            session.flow, session.said = before, None

    def _is_forgotten(self, session: Session) -> bool:
        over = self._settled(session).ended
        return over is not None and clock.now() - over > KEPT

    def _answer(self, session: Session, said: Instruction) -> str | None:
        fault, now = said.fault or "", clock.now()
        if fault.startswith("end-"):
            session.end(ended(fault.removeprefix("end-"), session.body), now)
            return back(session, None)
        if said.outcome != "approve":
            ends = {"refuse": "USER_REFUSED", "wrong-code": "WRONG_VC", "timeout": "TIMEOUT"}
            if said.outcome in ends:
                session.end(ended(ends[said.outcome], session.body), now)
            return back(session, None) if said.outcome == "refuse" else None
        person = _holder(said.person or session.asked_for)
        if session.asked_for is not None and person.number != session.asked_for and fault != "other-person":
            raise ValueError("the service asks for somebody else")
        made = signed(session.body, person, self.issuer, flow=session.flow, fault=said.fault, now=now)
        session.end(made.status, now)
        return back(session, made.verifier, fault)


def _holder(number: str | None) -> EidPerson:
    person = find(number) if number else holders(SMART)[0]
    if person is None or SMART not in person.eids:
        raise ValueError("this person has no Smart-ID")
    return person


def _refused(problem: Problem) -> Response:
    body = json.dumps(problem.body(request.path))
    return Response(body, problem.status, content_type="application/problem+json")
