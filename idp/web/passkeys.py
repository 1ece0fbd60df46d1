"""What the script of a page asks for a passkey ceremony, and what browsers look up about passkeys here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, jsonify, request
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response

from idp.cookies import Cookies
from idp.factors.contract import Limited
from idp.journeys import passkeys
from idp.journeys.engine import Engine
from idp.journeys.record import Here
from idp.settings import Settings
from idp.web import forms, visitors
from idp.web.csrf import FormTokens
from idp.web.forms import OddForm

FORBIDDEN, NOT_FOUND, CONFLICT, LIMITED = 403, 404, 409, 429
MANAGE = "/account/passkeys"


@dataclass(frozen=True, slots=True)
class PasskeyViews:
    """The options of a ceremony, by POST since a challenge is made; and two documents."""

    engine: Engine
    cookies: Cookies
    tokens: FormTokens
    settings: Settings

    def blueprint(self) -> Blueprint:
        """The routes."""
        views = Blueprint("passkeys", __name__)
        views.post("/journey/<journey_id>/<journey>/<step>/passkey")(self.options)
        views.get("/.well-known/webauthn")(self.origins)
        views.get("/.well-known/passkey-endpoints")(self.endpoints)
        return views

    def options(self, journey_id: str, journey: str, step: str) -> Response:
        """What `navigator.credentials` is given at this step, to the page we drew for this very browser (SR-57)."""
        try:
            form = forms.typed(request).get("form", "")
        except OddForm as problem:
            raise BadRequest from problem
        visitor = visitors.visitor(self.cookies)
        place = visitors.place(journey_id, journey, step)
        if visitor is None or self.tokens.read(form, visitor.browser, place) is None:
            return _no(FORBIDDEN)
        here = self.engine.stand(journey_id, journey, step, visitor)
        if not isinstance(here, Here):
            return _no(CONFLICT)
        found = passkeys.options(here)
        if found is None:
            return _no(NOT_FOUND)
        if isinstance(found, Limited):
            answer = _no(LIMITED)
            answer.headers["Retry-After"] = str(found.seconds)
            return answer
        return _json(found)

    def origins(self) -> Response:
        """Which origins may use passkeys of this domain (WebAuthn L3 §5.11); none besides our own, no document."""
        if self.settings.relying_party_id is None or not self.settings.passkeys.origins:
            raise NotFound
        return _json({"origins": [self.settings.server.issuer, *self.settings.passkeys.origins]})

    def endpoints(self) -> Response:
        """Where passkeys are made and looked after (W3C, A Well-Known URL for Relying Party Passkey Endpoints)."""
        if self.settings.relying_party_id is None:
            raise NotFound
        there = f"{self.settings.server.issuer}{MANAGE}"
        return _json({"enroll": there, "manage": there})


def _json(told: dict[str, Any]) -> Response:
    answer: Response = jsonify(told)
    return answer


def _no(status: int) -> Response:
    answer = _json({})
    answer.status_code = status
    return answer
