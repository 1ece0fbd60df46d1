"""The CIBA grant (OpenID CIBA Core §10.1)."""

from __future__ import annotations

from typing import Any

from idp.protocol import decoupled_grants
from idp.protocol.errors import InvalidRequest
from idp.protocol.parts import Parts
from idp.protocol.request import Parameters
from idp.services.clients import Client


def redeem(parts: Parts, client: Client, parameters: Parameters) -> dict[str, Any]:
    """Tokens for an authentication request, once the person has approved it."""
    handle = parameters.get("auth_req_id")
    if handle is None:
        raise InvalidRequest("auth_req_id is missing")
    return decoupled_grants.redeem(parts, client, parameters, handle=handle, kind="backchannel")
