"""The client credentials grant (RFC 6749 §4.4): a client that acts for itself."""

from __future__ import annotations

from typing import Any

from idp.protocol import claims, details, tokens
from idp.protocol.errors import InvalidScope, InvalidTarget, UnauthorizedClient
from idp.protocol.parts import Parts
from idp.protocol.request import Parameters, scopes
from idp.protocol.targets import aimed
from idp.rules.authorization_details import locations
from idp.services.clients import Client
from idp.stores.durable import audit


def issue(parts: Parts, client: Client, parameters: Parameters) -> dict[str, Any]:
    """An access token for APIs; never one for a person's data."""
    if not client.is_confidential:  # RFC 6749 §4.4: confidential clients only
        raise UnauthorizedClient("the client does not authenticate")
    allowed = [scope for scope in client.scope.split() if scope not in claims.SCOPES]
    asked = scopes(parameters.get("scope")) or tuple(allowed)
    if set(asked) - set(allowed):
        raise InvalidScope("scope has a word that the client may not have for itself")
    granted = details.asked(client, parameters)
    audiences = tuple(dict.fromkeys(parameters.resources)) or locations(granted) or client.resources
    if set(audiences) - set(client.resources) or not audiences:
        raise InvalidTarget("resource is missing, or not one that the client may ask for")
    target = aimed(parts, audiences, granted)
    given = target.policy.of(asked)
    audit.record("tokens.issued", client_id=client.client_id, reason="client_credentials")
    return {
        "access_token": tokens.machine_token(parts, client, given, target, confirmation=parameters.confirmation),
        "token_type": tokens.token_type(parameters.confirmation),
        "expires_in": parts.settings.tokens.access_token,
        "scope": " ".join(given),
        **tokens.details_of(target),
    }
