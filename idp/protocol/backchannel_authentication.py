"""The backchannel authentication endpoint (OpenID CIBA Core §7): a client asks for a person who is elsewhere."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from idp.protocol.answers import json_answer
from idp.protocol.backchannel_requests import checked, opened
from idp.protocol.errors import UnauthorizedClient
from idp.protocol.parts import Parts
from idp.protocol.rates import check_rate
from idp.protocol.request import of_form
from idp.rules.client_metadata import CIBA
from idp.services import backchannel
from idp.stores.shortlived.polls import INTERVAL

PATH = "/backchannel-authentication"


class BackchannelAuthentication:
    """The endpoint."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def answer(self) -> Response:
        """POST /backchannel-authentication. The client authenticates as at the token endpoint (§7.1)."""
        given = of_form(request)
        client = self._parts.authenticate(request, given)
        if CIBA not in client.grant_types:
            raise UnauthorizedClient("the client is not registered for CIBA")
        asked, account = checked(opened(given, client, self._parts), client, self._parts)
        limits = self._parts.settings.limits
        check_rate(backchannel.may_ask(self._parts.store, limits, client))
        made = backchannel.ask(self._parts.store, limits, client, asked, account)
        return json_answer({"auth_req_id": made.handle, "expires_in": asked.lifetime, "interval": INTERVAL})
