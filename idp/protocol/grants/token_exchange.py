"""Token exchange (RFC 8693): an API that was shown a person's token gets one for the next API, narrower by rule.

Only who the token is for may exchange it, for APIs that an administrator has listed as its `resources`; the scope
never grows, the life never lasts longer, and the chain of those who act stands in `act`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from idp import clock
from idp.protocol import bearer, claims, details, tokens
from idp.protocol.bearer import Live
from idp.protocol.errors import InvalidDetails, InvalidRequest, InvalidScope, InvalidTarget
from idp.protocol.parts import Parts
from idp.protocol.request import Parameters, scopes
from idp.protocol.targets import Target, aimed
from idp.rules import authorization_details
from idp.services.clients import Client
from idp.stores.durable import audit
from idp.stores.durable.grants import Grant

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a type
LONGEST_CHAIN = 4
"""How many may act one for the other."""


def exchange(parts: Parts, client: Client, parameters: Parameters) -> dict[str, Any]:
    """A token for the next API, on behalf of the person of the subject token (RFC 8693 §2.2.1)."""
    _check_types(parameters)
    live, grant = _subject(parts, client, parameters)
    target = _target(parts, client, live, parameters)
    allowed = [scope for scope in live.scopes if scope not in claims.SCOPES]
    asked = scopes(parameters.get("scope")) or tuple(allowed)
    if set(asked) - set(allowed):
        raise InvalidScope("scope is wider than that of the subject token")
    given = target.policy.of(asked)
    seconds = int((live.expires_at - clock.now()).total_seconds())
    lifetime = min(tokens.lifetime(parts, grant), max(1, seconds))
    about = {"sub": (live.claims or {})["sub"], "scope": " ".join(given), "act": _chain(client, live)}
    token = tokens.delegated_token(
        parts,
        grant,
        client,
        about,
        target=target,
        expires_at=clock.now() + timedelta(seconds=lifetime),
        confirmation=parameters.confirmation,
    )
    audit.record(
        "tokens.issued",
        account_id=grant.account_id,
        client_id=client.client_id,
        session=grant.sid,
        reason="token_exchange",
    )
    return {
        "access_token": token,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": tokens.token_type(parameters.confirmation),
        "expires_in": lifetime,
        "scope": " ".join(given),
        **tokens.details_of(target),
    }


def _check_types(parameters: Parameters) -> None:
    if "subject_token" not in parameters:
        raise InvalidRequest("subject_token is missing")
    if parameters.get("subject_token_type") != ACCESS_TOKEN:
        raise InvalidRequest("subject_token_type must be that of access tokens")
    if parameters.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise InvalidRequest("requested_token_type must be that of access tokens")
    if "actor_token" in parameters or "actor_token_type" in parameters:
        raise InvalidRequest("actor_token is not taken: whoever authenticates is who acts")


def _subject(parts: Parts, client: Client, parameters: Parameters) -> tuple[Live, Grant]:
    """The token, if it counts, speaks of a person, and is for this very API. One answer for all that is wrong."""
    live = bearer.find(parts, parameters["subject_token"])
    audience = live.claims["aud"] if live is not None and live.claims is not None else []
    mine = client.resource_server in ([audience] if isinstance(audience, str) else audience)
    if live is None or live.grant is None or client.resource_server is None or not mine:
        raise InvalidRequest("subject_token is not a token of a person for this client")
    return live, live.grant


def _target(parts: Parts, client: Client, live: Live, parameters: Parameters) -> Target:
    """The next API, and those of the subject token's details that are for it, or fewer of them."""
    audiences, now = _targets(client, parameters), details.asked(client, parameters)
    if authorization_details.lacking(now, live.details):
        raise InvalidDetails("authorization_details is more than that of the subject token")
    return aimed(parts, audiences, live.details, now)


def _targets(client: Client, parameters: Parameters) -> tuple[str, ...]:
    named = parameters.resources or ((parameters["audience"],) if "audience" in parameters else ())
    aimed = tuple(dict.fromkeys(named)) or client.resources
    if not aimed or set(aimed) - set(client.resources):
        raise InvalidTarget("resource is missing, or not one that the client may ask for")
    return aimed


def _chain(client: Client, live: Live) -> dict[str, Any]:
    """Who acts now, and for whom they act (RFC 8693 §4.1)."""
    before = (live.claims or {}).get("act")
    chain: dict[str, Any] = {"sub": client.client_id, **({"act": before} if before else {})}
    depth, link = 0, chain
    while link:
        depth, link = depth + 1, link.get("act", {})
    if depth > LONGEST_CHAIN:
        raise InvalidRequest("too many act one for the other")
    return chain
