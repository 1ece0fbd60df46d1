"""Dynamic client registration (RFC 7591, OpenID Connect Registration) and its management (RFC 7592)."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from idp.protocol import bearer
from idp.protocol.answers import json_answer
from idp.protocol.errors import (
    InvalidClientMetadata,
    InvalidRedirectUri,
    InvalidRequest,
    InvalidToken,
    OAuthError,
    UnapprovedStatement,
)
from idp.protocol.parts import Parts
from idp.rules.client_metadata import InvalidMetadata
from idp.services import clients, registration
from idp.services.clients import Registered
from idp.services.registration import NotAllowed
from idp.signing import jws

CREATED, NO_CONTENT = 201, 204
PATH = "/register"

WE_SAY = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")
"""RFC 7592 §2.2: a client must not send these back."""


class Registration:
    """The two endpoints."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._told: dict[str, Any] = {"loopback_issuer": parts.settings.is_loopback, "out": parts.guarded}

    def register(self) -> Response:
        """POST /register."""
        token = bearer.presented(request).token
        given = _object()
        if "software_statement" in given:
            raise UnapprovedStatement("software statements are not taken")
        try:
            own = registration.register(token, given, **self._told)
        except NotAllowed as problem:
            raise InvalidToken("the initial access token is wrong, expired or used up") from problem
        except InvalidMetadata as problem:
            raise _refused(problem) from problem
        return json_answer(self._response(own.registered, own.token), CREATED)

    def manage(self, client_id: str) -> Response:
        """GET, PUT and DELETE /register/<client_id>."""
        token = bearer.presented(request).token
        try:
            client = registration.managed(client_id, token)
            if request.method == "GET":
                return json_answer(self._response(Registered(client), token))
            if request.method == "DELETE":
                clients.remove(client_id)
                return Response(status=NO_CONTENT)
            return self._replace(Registered(client), token)
        except (NotAllowed, clients.UnknownClient) as problem:
            raise InvalidToken("the registration access token is wrong, or its client is gone") from problem

    def _replace(self, before: Registered, token: str) -> Response:
        given = _object()
        if given.get("client_id") != before.client.client_id:
            raise InvalidRequest("client_id must be that of the client")
        if not set(WE_SAY).isdisjoint(given):
            raise InvalidRequest("a member is there that only the provider sets")
        secret = given.get("client_secret")
        if secret is not None and not (isinstance(secret, str) and clients.verify_secret(before.client, secret)):
            raise InvalidRequest("client_secret is not that of the client")  # RFC 7592 §2.2: nobody chooses one
        try:
            return json_answer(self._response(registration.replace(before.client, given, **self._told), token))
        except InvalidMetadata as problem:
            raise _refused(problem) from problem

    def _response(self, registered: Registered, token: str) -> dict[str, Any]:
        uri = f"{self._parts.issuer}{PATH}/{registered.client.client_id}"
        return clients.response(registered) | {"registration_access_token": token, "registration_client_uri": uri}


def _refused(problem: InvalidMetadata) -> OAuthError:
    kind = InvalidRedirectUri if problem.error == InvalidRedirectUri.error else InvalidClientMetadata
    return kind(str(problem))


def _object() -> dict[str, Any]:
    """The JSON object of the request; a name given twice is refused."""
    if request.mimetype != "application/json":
        raise InvalidRequest("the request must be JSON (application/json)")
    try:
        return jws.strict_object(request.get_data())
    except jws.Untrusted as problem:
        raise InvalidRequest("the request is no JSON object") from problem
