"""Token revocation (RFC 7009)."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from idp import clock
from idp.protocol import bearer, refresh_tokens
from idp.protocol.answers import empty_answer
from idp.protocol.errors import InvalidRequest
from idp.protocol.parts import Parts
from idp.protocol.request import of_form
from idp.stores.durable import audit, grants, refresh_families
from idp.stores.durable.db import transaction
from idp.stores.shortlived import access_tokens


class Revocation:
    """The endpoint."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def answer(self) -> Response:
        """POST /revoke. A token that is unknown or another client's gets the same answer (SR-89)."""
        parameters = of_form(request)
        client = self._parts.authenticate(request, parameters)
        token = parameters.get("token")
        if token is None:
            raise InvalidRequest("token is missing")
        now = clock.now()
        with transaction():
            family = refresh_families.find(refresh_tokens.family(token), refresh_tokens.digest(token))
            if family is not None:
                ended = grants.revoke(family.id, client.client_id, now=now)
            else:
                live = bearer.find(self._parts, token)
                ended = live is not None and live.client_id == client.client_id
                if live is not None and ended:
                    grants.revoke_token(access_tokens.digest(token), expires_at=live.expires_at)
            if ended:
                audit.record("token.revoked", client_id=client.client_id)
        return empty_answer()
