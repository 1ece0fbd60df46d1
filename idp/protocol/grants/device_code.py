"""The device code grant (RFC 8628 §3.4)."""

from __future__ import annotations

from typing import Any

from idp.protocol import decoupled_grants
from idp.protocol.errors import InvalidRequest
from idp.protocol.parts import Parts
from idp.protocol.request import Parameters
from idp.services.clients import Client


def redeem(parts: Parts, client: Client, parameters: Parameters) -> dict[str, Any]:
    """Tokens for a device code, once the person at another device has approved it."""
    handle = parameters.get("device_code")
    if handle is None:
        raise InvalidRequest("device_code is missing")
    return decoupled_grants.redeem(parts, client, parameters, handle=handle, kind="device")
