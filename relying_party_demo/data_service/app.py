"""The endpoints. Every one is: check the token, ask for what is missing, answer from the records."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from .access_tokens import (
    AccessToken,
    Checks,
    InsufficientScope,
    InsufficientUserAuthentication,
    InvalidRequest,
    NoToken,
    Refused,
    presented,
)
from .problems import TITLES, problem
from .provider_keys import KeysUnavailable, ProviderKeys
from .records import Employee, Records

log = logging.getLogger(__name__)

SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"
MFA_OR_MORE = ("https://refeds.org/profile/mfa", SUBSTANTIAL, "http://eidas.europa.eu/LoA/high")
PROVED_OR_MORE = MFA_OR_MORE[1:]
SCOPE = "payslips"

PROBLEM_OF: tuple[tuple[type[Refused], str], ...] = (
    (NoToken, "no-token"),
    (InvalidRequest, "invalid-request"),
    (InsufficientScope, "insufficient-scope"),
    (InsufficientUserAuthentication, "proof-needed"),
    (Refused, "invalid-token"),
)


@dataclass(frozen=True, slots=True)
class Service:
    """What one instance of the service needs to know."""

    issuer: str
    resource: str
    """Its own URL with a slash at the end: the audience of its tokens (RFC 8707)."""
    links: Path
    """File in which HR says which subject is which employee."""


class Closed(Exception):
    """The person is known, or not, but there is nothing to see now. `name` is that of the problem."""

    def __init__(self, name: str, **members: str) -> None:
        super().__init__(name)
        self.name = name
        self.members = members


def create_app(service: Service) -> Flask:
    """The data service as a WSGI application."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
    checks = Checks(service.issuer, service.resource, ProviderKeys(service.issuer).find)
    records = Records(service.links)
    _add_endpoints(app, service, checks, records)
    _add_refusals(app, service)
    return app


def _add_endpoints(app: Flask, service: Service, checks: Checks, records: Records) -> None:
    def person() -> AccessToken:
        elsewhere = {*request.args, *request.form}
        return checks.check(presented(request.headers.getlist("Authorization"), elsewhere))

    def proved_employee() -> Employee:
        token = person()
        token.require_scope(SCOPE)
        token.require_level(PROVED_OR_MORE)
        return open_window(records.of(token.subject), datetime.now(UTC))

    @app.get("/me")
    def me() -> Response:
        """Who the token says is here. Needs two factors, no proof of identity."""
        token = person()
        token.require_level(MFA_OR_MORE)
        return jsonify(sub=token.subject, acr=token.acr, amr=token.amr, auth_time=token.auth_time)

    @app.get("/payslips")
    def payslips() -> Response:
        """The person's payslips, newest first."""
        employee = proved_employee()
        return jsonify(
            employer=employee.employer,
            window={"opens": employee.opens.isoformat(), "closes": employee.closes.isoformat()},
            payslips=employee.payslips,
        )

    @app.get("/payslips/<payslip_id>")
    def payslip(payslip_id: str) -> Response:
        """One of the person's payslips."""
        employee = proved_employee()
        found = employee.payslip(payslip_id)
        if found is None:
            return problem("not-found", 404, service.resource)
        return jsonify(employer=employee.employer, **found)

    @app.get("/health")
    def health() -> Response:
        return Response("ok\n", content_type="text/plain")

    @app.get("/problems/<name>")
    def explain(name: str) -> Response:
        if name not in TITLES:
            return problem("not-found", 404, service.resource)
        return Response(f"{TITLES[name]}.\n", content_type="text/plain; charset=utf-8")

    @app.after_request
    def keep_private(answer: Response) -> Response:
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def open_window(employee: Employee | None, now: datetime) -> Employee:
    """The employee, if the window is open at `now`. Raises Closed; a stranger never learns of an employer."""
    if employee is None:
        raise Closed("no-match")
    if now < employee.opens:
        raise Closed("not-open-yet", opens=employee.opens.isoformat())
    if now >= employee.closes:
        raise Closed("window-closed", closed=employee.closes.isoformat())
    return employee


def _add_refusals(app: Flask, service: Service) -> None:
    @app.errorhandler(Refused)
    def refused(refusal: Refused) -> Response:
        name = next(name for kind, name in PROBLEM_OF if isinstance(refusal, kind))
        log.info("refused: %s: %s", name, refusal.reason)
        return problem(name, refusal.status, service.resource, headers={"WWW-Authenticate": refusal.challenge})

    @app.errorhandler(Closed)
    def closed(reason: Closed) -> Response:
        return problem(reason.name, 403, service.resource, members=reason.members)

    @app.errorhandler(KeysUnavailable)
    def no_keys(_: KeysUnavailable) -> Response:
        return problem("keys-unavailable", 503, service.resource, headers={"Retry-After": "10"})

    @app.errorhandler(HTTPException)
    def http(fault: HTTPException) -> Response:
        name = {404: "not-found", 405: "method-not-allowed"}.get(fault.code or 500, "fault")
        return problem(name, fault.code or 500, service.resource)

    @app.errorhandler(Exception)
    def unexpected(fault: Exception) -> Response:
        log.error("unexpected", exc_info=fault)
        return problem("fault", 500, service.resource)
