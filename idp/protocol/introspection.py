"""Token introspection (RFC 7662): for resource servers, about tokens that are for them."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from idp import clock
from idp.protocol import bearer, tokens
from idp.protocol.answers import json_answer, jwt_answer
from idp.protocol.bearer import Live
from idp.protocol.encryption import only_for
from idp.protocol.errors import InvalidClient, InvalidRequest
from idp.protocol.parts import Parts
from idp.protocol.rates import check_rate
from idp.protocol.request import of_form
from idp.rules import authorization_details, fapi2
from idp.services import client_throttling, subjects
from idp.services.clients import Client

TYPE = "token-introspection+jwt"
"""A type of its own, so that no answer is taken for a token (RFC 9701 §8.1; SR-98)."""

SIGNED = f"application/{TYPE}"
DEFAULT_ALGORITHM = "RS256"
"""RFC 9701 §6; another where an operator has given that key up."""

INACTIVE = {"active": False}
"""Exactly this for anything else: nothing is told of a token that is none of the caller's (SR-98)."""


class Introspection:
    """The endpoint."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def answer(self) -> Response:
        """POST /introspect."""
        parameters = of_form(request)
        caller = self._parts.authenticate(request, parameters)
        if not caller.is_confidential:
            raise InvalidClient
        if "token" not in parameters:
            raise InvalidRequest("token is missing")
        store, limits = self._parts.store, self._parts.settings.limits
        check_rate(client_throttling.before_introspection(store, limits, caller))
        live = bearer.find(self._parts, parameters["token"])
        if live is None or not _concerns(live, caller):
            client_throttling.found_nothing(store, limits, caller)
            return self._answered(caller, INACTIVE)
        return self._answered(caller, self._told(live) | _details(live, caller))

    def _answered(self, caller: Client, told: dict[str, Any]) -> Response:
        """Plain; signed, and encrypted where it is registered so, for whoever accepts that (RFC 9701 §5)."""
        if SIGNED not in request.headers.get("Accept", ""):
            return json_answer(told)
        ours = self._parts.keyring.algorithms()
        default = fapi2.ALGORITHMS[0] if caller.profile else DEFAULT_ALGORITHM
        usual = default if default in ours else ours[0]
        algorithm = caller.introspection_signed_response_alg or usual
        claims = {
            "iss": self._parts.issuer,
            "aud": caller.client_id,
            "iat": clock.timestamp(),
            "token_introspection": told,
        }
        signed = self._parts.keyring.sign(claims, algorithm=algorithm, typ=TYPE)
        return jwt_answer(only_for(self._parts, caller, signed, what="introspection"), SIGNED)

    def _told(self, live: Live) -> dict[str, Any]:
        told: dict[str, Any] = {
            "active": True,
            "scope": " ".join(live.scopes),
            "client_id": live.client_id,
            "token_type": tokens.token_type(live.confirmation),
            **({"cnf": dict(live.confirmation)} if live.confirmation else {}),
            "exp": int(live.expires_at.timestamp()),
            "iat": int(live.issued_at.timestamp()),
            "iss": self._parts.issuer,
        }
        if live.claims is not None:
            return (
                told
                | {name: live.claims[name] for name in ("sub", "aud", "jti", "act") if name in live.claims}
                | _proof(live)
            )
        return told | {"sub": _known_as(live)} | _proof(live)


def _details(live: Live, caller: Client) -> dict[str, Any]:
    """Exactly what the token is for: an API is told of what is for it (RFC 9396 §9.2)."""
    found, own = live.details, caller.resource_server
    if live.client_id != caller.client_id and own is not None:
        found = authorization_details.at(found, (own,))
    return {"authorization_details": authorization_details.told(found)} if found else {}


def _known_as(live: Live) -> str:
    return subjects.known_as(live.client_id, live.grant.account_id) if live.grant else live.client_id


def _proof(live: Live) -> dict[str, Any]:
    if live.grant is None:
        return {}
    return tokens.proof_claims(live.grant.assurance.at(clock.now()))


def _concerns(live: Live, caller: Client) -> bool:
    if live.client_id == caller.client_id:
        return True
    audience = live.claims["aud"] if live.claims is not None else []
    return caller.resource_server is not None and caller.resource_server in (
        [audience] if isinstance(audience, str) else audience
    )
