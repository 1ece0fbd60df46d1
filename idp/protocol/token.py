"""The token endpoint: what all grants share, then one grant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from idp.protocol.answers import json_answer
from idp.protocol.errors import InvalidDPoPProof, InvalidRequest, UnauthorizedClient, UnsupportedGrantType
from idp.protocol.grants import (
    authorization_code,
    ciba,
    client_credentials,
    device_code,
    refresh_token,
    token_exchange,
)
from idp.protocol.parts import Parts
from idp.protocol.request import Confirmation, Parameters, of_form
from idp.rules import fapi2
from idp.rules.client_metadata import CIBA, DEVICE_CODE, TOKEN_EXCHANGE
from idp.services import client_keys
from idp.services.clients import Client

Grant = Callable[[Parts, Client, Parameters], dict[str, Any]]

GRANTS: Mapping[str, Grant] = {
    "authorization_code": authorization_code.exchange,
    "refresh_token": refresh_token.refresh,
    "client_credentials": client_credentials.issue,
    TOKEN_EXCHANGE: token_exchange.exchange,
    DEVICE_CODE: device_code.redeem,
    CIBA: ciba.redeem,
}


class Token:
    """The endpoint."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def answer(self) -> Response:
        """POST /token."""
        parameters = of_form(request)
        client = self._parts.authenticate(request, parameters)
        kind = parameters.get("grant_type")
        if kind is None:
            raise InvalidRequest("grant_type is missing")
        grant = GRANTS.get(kind)
        if grant is None:
            raise UnsupportedGrantType("grant_type is not one of " + ", ".join(GRANTS))
        if kind not in client.grant_types:
            raise UnauthorizedClient("the client is not registered for this grant")
        parameters.confirmation = self._shown(client)
        return json_answer(grant(self._parts, client, parameters))

    def _shown(self, client: Client) -> Confirmation | None:
        """What this request shows to hold, key or certificate, and its tokens are to be bound to."""
        thumbprint = self._parts.proofs.thumbprint(request, algorithms=client_keys.algorithms(client))
        if thumbprint is None and client.dpop_bound_access_tokens:  # RFC 9449 §5.2
            raise InvalidDPoPProof(fapi2.RULES["bound"] if client.profile else "the DPoP header is missing")
        shown = {"jkt": thumbprint} if thumbprint is not None else {}
        if client.tls_client_certificate_bound_access_tokens:
            shown |= self._certificate(client)
        return shown or None

    def _certificate(self, client: Client) -> dict[str, str]:
        """RFC 8705 §3: such a client's tokens are bound to the certificate of the very connection."""
        thumbprint = self._parts.certificates.thumbprint(request)
        if thumbprint is None:
            rule = fapi2.RULES["bound"] if client.profile else "the connection has no client certificate"
            raise InvalidRequest(rule)
        return {"x5t#S256": thumbprint}
