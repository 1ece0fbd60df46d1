"""Authorization details in requests (RFC 9396): read, and held against what the client may have."""

from __future__ import annotations

from idp.protocol.errors import InvalidDetails
from idp.protocol.request import Parameters
from idp.rules import authorization_details
from idp.rules.authorization_details import Details
from idp.services.clients import Client
from idp.signing import jws

PARAMETER = "authorization_details"


def asked(client: Client, parameters: Parameters) -> Details:
    """What the request asks for; nothing where it has no details. Raises `InvalidDetails` (§5)."""
    if PARAMETER not in parameters:
        return ()
    try:
        found = authorization_details.read(jws.strict_json(parameters[PARAMETER].encode()))
    except (jws.Untrusted, authorization_details.InvalidDetails) as problem:
        raise InvalidDetails(str(problem)) from problem
    if not client.authorization_details_types:
        raise InvalidDetails("the client is not registered for this type")
    if set(authorization_details.locations(found)) - set(client.resources):
        raise InvalidDetails("locations has one that the client may not ask for")
    return found
