"""The endpoints. Every one is: check the token, ask for what is missing, answer from the records."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from werkzeug.exceptions import HTTPException

from . import details
from .access_tokens import (
    AccessToken,
    Checks,
    InsufficientScope,
    InvalidRequest,
    NoToken,
    Presented,
    Refused,
    presented,
)
from .possession import UsedProofs, thumbprint
from .problems import TITLES, problem
from .provider_keys import KeysUnavailable, ProviderKeys
from .provider_people import PeopleUnavailable, ProviderPeople
from .records import Employee, Records
from .step_up import InsufficientUserAuthentication, StepUp
from .still_good import StillGood

log = logging.getLogger(__name__)
endpoints = Blueprint("endpoints", __name__)

SCOPE = "payslips"
"""Opens the records of the same name. Other kinds are opened by authorization details only (RFC 9396)."""

PROVED = ("http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high")
TWO_FACTORS = StepUp(("https://refeds.org/profile/mfa", *PROVED))
FRESHLY_PROVED = StepUp(PROVED, max_age=900)
"""Before somebody is tied to an employee."""

PROBLEM_OF: tuple[tuple[type[Refused], str], ...] = (
    (NoToken, "no-token"),
    (InvalidRequest, "invalid-request"),
    (InsufficientScope, "insufficient-scope"),
    (Refused, "invalid-token"),
)


@dataclass(frozen=True, slots=True)
class Service:
    """What one instance of the service needs to know."""

    issuer: str
    resource: str
    """Its own URL with a slash at the end: the audience of its tokens (RFC 8707)."""
    links: Path
    """File that keeps which subject was found to be which employee."""
    credentials: Path | None = None
    """File with what it shows the provider to ask whether a token is still good; without it, it does not ask."""


class Closed(Exception):
    """The person is known, or not, but there is nothing to see now. `name` is that of the problem."""

    def __init__(self, name: str, **members: str) -> None:
        super().__init__(name)
        self.name = name
        self.members = members


@dataclass(frozen=True, slots=True)
class Parts:
    """What the endpoints work with."""

    service: Service
    checks: Checks
    records: Records
    people: ProviderPeople
    used_proofs: UsedProofs


def create_app(service: Service) -> Flask:
    """The data service as a WSGI application."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
    ask = StillGood(service.issuer, service.credentials).claims if service.credentials else None
    checks = Checks(service.issuer, service.resource, ProviderKeys(service.issuer).find, ask=ask)
    records, people = Records(service.links), ProviderPeople(service.issuer)
    app.extensions["data_service"] = Parts(service, checks, records, people, UsedProofs())
    app.register_blueprint(endpoints)
    return app


def _parts() -> Parts:
    parts: Parts = current_app.extensions["data_service"]
    return parts


def _presented() -> Presented:
    return presented(request.headers.getlist("Authorization"), {*request.args, *request.form})


def _shown_with_proof() -> bool:
    return request.headers.get("Authorization", "").partition(" ")[0].lower() == "dpop"


def _person() -> AccessToken:
    """Who calls, after every check of the token, which is made once a request. Raises Refused."""
    if "person" not in g:
        parts, given, shown = _parts(), _presented(), None
        if given.dpop:
            url = parts.service.resource.rstrip("/") + request.path
            proofs = request.headers.getlist("DPoP")
            shown = thumbprint(proofs, parts.used_proofs, method=request.method, url=url, token=given.token)
        g.person = parts.checks.check(given.token, shown=shown)
    person: AccessToken = g.person
    return person


def _authentication() -> dict[str, Any]:
    return _person().authentication()


def _require(token: AccessToken, kind: str, employer: str | None = None) -> None:
    """Raise InsufficientScope unless the token opens records of this kind, of this employer once one is known."""
    if token.details is None and kind == SCOPE:
        token.require_scope(SCOPE)
        return
    resource = _parts().service.resource
    if not details.allow(token.details or (), resource=resource, kind=kind, employer=employer):
        raise InsufficientScope(f"no authorization details for {kind}")


def _proved_employee(kind: str) -> Employee:
    """The employee who calls for records of this kind, inside the window. Raises Refused, Closed, PeopleUnavailable.

    Who somebody is has to be proved once, freshly, before they are tied to an employee; from then on two
    factors are enough for as long as the window is open.
    """
    token = _person()
    _require(token, kind)
    records = _parts().records
    employee = records.of(token.subject)
    if employee is not None:
        TWO_FACTORS.check(token.authentication())
    else:
        FRESHLY_PROVED.check(token.authentication())
        identity = _parts().people.identity(_presented().token, token.subject)
        employee = records.find(token.subject, identity) if identity else None
    if employee is not None:
        _require(token, kind, employee.employer)
    return open_window(employee, datetime.now(UTC))


def open_window(employee: Employee | None, now: datetime) -> Employee:
    """The employee, if the window is open at `now`. Raises Closed; a stranger never learns of an employer."""
    if employee is None:
        raise Closed("no-match")
    if now < employee.opens:
        raise Closed("not-open-yet", opens=employee.opens.isoformat())
    if now >= employee.closes:
        raise Closed("window-closed", closed=employee.closes.isoformat())
    return employee


@endpoints.get("/me")
@TWO_FACTORS.guard(_authentication)
def me() -> Response:
    """Who the token says is here. Needs two factors, no proof of identity."""
    token = _person()
    return jsonify(sub=token.subject, acr=token.acr, amr=token.amr, auth_time=token.auth_time)


@endpoints.get("/payslips")
def payslips() -> Response:
    """The person's payslips, newest first."""
    employee = _proved_employee("payslips")
    return jsonify(employer=employee.employer, window=employee.window(), payslips=employee.payslips)


@endpoints.get("/payslips/<payslip_id>")
def payslip(payslip_id: str) -> Response:
    """One of the person's payslips."""
    employee = _proved_employee("payslips")
    found = employee.payslip(payslip_id)
    if found is None:
        return problem("not-found", 404, _parts().service.resource)
    return jsonify(employer=employee.employer, **found)


@endpoints.get("/tax-papers")
def tax_papers() -> Response:
    """What was paid and withheld, year by year, newest first."""
    employee = _proved_employee("tax_papers")
    return jsonify(employer=employee.employer, tax_papers=employee.tax_papers())


@endpoints.get("/employment")
def employment() -> Response:
    """Where the person worked, and how long they may look."""
    employee = _proved_employee("employment")
    return jsonify(employer=employee.employer, window=employee.window())


@endpoints.get("/health")
def health() -> Response:
    """Whether the process answers."""
    return Response("ok\n", content_type="text/plain")


@endpoints.get("/problems/<name>")
def explain(name: str) -> Response:
    """What a problem's `type` means, in words."""
    if name not in TITLES:
        return problem("not-found", 404, _parts().service.resource)
    return Response(f"{TITLES[name]}.\n", content_type="text/plain; charset=utf-8")


@endpoints.after_app_request
def keep_private(answer: Response) -> Response:
    """Payslips belong in no cache (RFC 9111 §5.2.2.5)."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@endpoints.app_errorhandler(Refused)
def refused(refusal: Refused) -> Response:
    """The token was not good enough; the challenge says what would be."""
    name = next(name for kind, name in PROBLEM_OF if isinstance(refusal, kind))
    log.info("refused: %s: %s", name, refusal.reason)
    if isinstance(refusal, NoToken):
        challenges = [refusal.challenge(), refusal.challenge(dpop=True)]
    else:
        challenges = [refusal.challenge(dpop=_shown_with_proof())]
    challenge = {"WWW-Authenticate": ", ".join(challenges)}
    return problem(name, refusal.status, _parts().service.resource, headers=challenge)


@endpoints.app_errorhandler(InsufficientUserAuthentication)
def proof_needed(refusal: InsufficientUserAuthentication) -> Response:
    """A good token, but the person has to prove more (RFC 9470 §3)."""
    log.info("refused: proof-needed: %s", refusal.description)
    scheme = "DPoP" if _shown_with_proof() else "Bearer"
    challenge = {"WWW-Authenticate": refusal.challenge.replace("Bearer", scheme, 1)}
    return problem("proof-needed", 401, _parts().service.resource, headers=challenge)


@endpoints.app_errorhandler(Closed)
def closed(reason: Closed) -> Response:
    """Nothing to see, and why."""
    return problem(reason.name, 403, _parts().service.resource, members=reason.members)


@endpoints.app_errorhandler(PeopleUnavailable)
@endpoints.app_errorhandler(KeysUnavailable)
def provider_away(_: Exception) -> Response:
    """Nobody can be checked at the moment: later, not no."""
    return problem("keys-unavailable", 503, _parts().service.resource, headers={"Retry-After": "10"})


@endpoints.app_errorhandler(HTTPException)
def http(fault: HTTPException) -> Response:
    """Wrong paths and methods."""
    name = {404: "not-found", 405: "method-not-allowed"}.get(fault.code or 500, "fault")
    return problem(name, fault.code or 500, _parts().service.resource)


@endpoints.app_errorhandler(Exception)
def unexpected(fault: Exception) -> Response:
    """Our own fault, without detail for the caller."""
    log.error("unexpected", exc_info=fault)
    return problem("fault", 500, _parts().service.resource)
