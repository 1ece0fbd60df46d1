"""Pushed authorization requests (RFC 9126): a client leaves its request beforehand, and the browser carries a name.

A name counts until one authorization is complete with it, not until its page is loaded: whoever loads it anew
or goes back must not be stranded (RFC 9126 §7.3, SR-74).
"""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from idp.protocol import request_objects
from idp.protocol.answers import json_answer
from idp.protocol.authorization_checks import checked
from idp.protocol.errors import InvalidDPoPProof, InvalidRequest
from idp.protocol.parts import Parts
from idp.protocol.rates import check_rate
from idp.protocol.request import Parameters, of_form
from idp.rules import redirect_uris
from idp.services import client_keys, client_throttling
from idp.services.clients import Client
from idp.services.windows import origin_of
from idp.stores.shortlived import pushed_requests
from idp.stores.shortlived.pushed_requests import PREFIX, PushedRequest

CREATED = 201
CREDENTIALS = ("client_secret", "client_assertion", "client_assertion_type")
"""What proves the client is no part of its request, and is not kept."""


class PushedRequests:
    """The endpoint."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def answer(self) -> Response:
        """POST /par. Every check of the authorization endpoint, at once and told to the client alone."""
        given = of_form(request)
        client = self._parts.authenticate(request, given)
        if "request_uri" in given:
            raise InvalidRequest("request_uri must not be pushed")  # RFC 9126 §2.1
        origin = origin_of(request.remote_addr or "")
        check_rate(client_throttling.before_push(self._parts.store, self._parts.settings.limits, client, origin))
        given = request_objects.opened(given, client, self._parts).sound()
        self._bind(given, client)
        redirect_uri = given.get("redirect_uri", "")
        if not redirect_uris.matches(client.redirect_uris, redirect_uri, native=client.application_type == "native"):
            raise InvalidRequest("redirect_uri is missing or not registered")
        kept = {name: value for name, value in given.items() if name not in (*CREDENTIALS, "resource")}
        told = {**kept, "client_id": client.client_id}
        pushed = PushedRequest(client.client_id, told, given.resources, given.signed)
        checked(_parameters(pushed), client, redirect_uri, self._parts)
        lifetime = self._parts.settings.tokens.pushed_request
        name = pushed_requests.issue(self._parts.store, pushed, lifetime=lifetime)
        return json_answer({"request_uri": name, "expires_in": lifetime}, CREATED)

    def _bind(self, given: Parameters, client: Client) -> None:
        """Whoever pushes with a proof wants its code bound to that key (RFC 9449 §10.1)."""
        thumbprint = self._parts.proofs.thumbprint(request, algorithms=client_keys.algorithms(client))
        if thumbprint is not None and given.setdefault("dpop_jkt", thumbprint) != thumbprint:
            raise InvalidDPoPProof("dpop_jkt is another key than that of the proof")


def opened(given: Parameters, parts: Parts) -> Parameters | None:
    """The request that counts: the pushed one, where the browser carries the name of one; nothing beside it counts.

    None for a name that is unknown, past its time, or another client's.
    """
    name = given.get("request_uri", "")
    if not name.startswith(PREFIX):
        return given
    found = pushed_requests.find(parts.store, name)
    if found is None or found.client_id != given.get("client_id"):
        return None
    return _parameters(found, name)


def complete(name: str, parts: Parts) -> bool:
    """Use the name up. False when an authorization was completed with it before."""
    remembered = parts.settings.tokens.pushed_request + parts.settings.sessions.journey
    return pushed_requests.complete(parts.store, name, remembered=remembered)


def _parameters(pushed: PushedRequest, name: str = "") -> Parameters:
    made = Parameters(pushed.parameters)
    made.resources, made.pushed_as, made.signed = pushed.resources, name, pushed.signed
    return made
