"""Resource indicators: for whom an access token is (RFC 8707)."""

from __future__ import annotations

from idp.protocol.errors import InvalidTarget
from idp.protocol.request import Parameters
from idp.services.clients import Client


def audiences(client: Client, granted: tuple[str, ...], parameters: Parameters) -> tuple[str, ...]:
    """What was asked for now, within what was granted; else all that was granted (RFC 8707 §2.2)."""
    asked = tuple(dict.fromkeys(parameters.resources))
    allowed = granted or client.resources
    if set(asked) - set(allowed):
        raise InvalidTarget("resource is not one that was granted")
    return asked or granted
