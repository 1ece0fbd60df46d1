"""The device authorization endpoint (RFC 8628 §3.1, §3.2)."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import request
from werkzeug.wrappers import Response

from idp.protocol import details
from idp.protocol.answers import json_answer
from idp.protocol.authorization_checks import reachable, registered, targeted
from idp.protocol.errors import UnauthorizedClient
from idp.protocol.parts import Parts
from idp.protocol.rates import check_rate
from idp.protocol.request import of_form, scopes
from idp.rules import user_codes
from idp.rules.assurance import MFA
from idp.rules.client_metadata import DEVICE_CODE
from idp.services import decoupled
from idp.services.clients import Client
from idp.services.decoupled import Asked
from idp.services.windows import origin_of
from idp.stores.shortlived.polls import INTERVAL

PATH = "/device-authorization"
VERIFICATION_PATH = "/device"
"""Short, since people type it (RFC 8628 §3.2)."""


class DeviceAuthorization:
    """The endpoint."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def answer(self) -> Response:
        """POST /device-authorization. The client authenticates as at the token endpoint; a public one says its id."""
        given = of_form(request)
        client = self._parts.authenticate(request, given)
        if DEVICE_CODE not in client.grant_types:
            raise UnauthorizedClient("the client is not registered for the device grant")
        self._check_limits(client)
        lifetime = self._parts.settings.tokens.device_code
        asked = Asked(
            kind="device",
            scopes=registered(scopes(given.get("scope")) or ("openid",), client),
            resources=targeted(given, client),
            details=details.asked(client, given),
            level=reachable(client.default_acr_values, self._parts) or MFA,
            lifetime=lifetime,
        )
        opened = decoupled.open_request(client, asked)
        code = user_codes.written(opened.user_code)
        page = f"{self._parts.issuer}{VERIFICATION_PATH}"
        return json_answer(
            {
                "device_code": opened.handle,
                "user_code": code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?{urlencode({'user_code': code})}",
                "expires_in": lifetime,
                "interval": INTERVAL,
            }
        )

    def _check_limits(self, client: Client) -> None:
        """Strangers are counted by where they are; who authenticates only together with everybody (SR-34)."""
        origin = None if client.is_confidential else origin_of(request.remote_addr or "")
        check_rate(decoupled.may_ask(self._parts.store, self._parts.settings.limits, origin))
