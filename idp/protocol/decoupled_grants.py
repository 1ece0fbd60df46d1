"""What the grants have in common whose requests are decided on another device: the client polls until they are."""

from __future__ import annotations

from typing import Any

from idp import clock
from idp.protocol import errors, first_tokens
from idp.protocol.errors import InvalidGrant
from idp.protocol.first_tokens import Allowed, Shown
from idp.protocol.parts import Parts
from idp.protocol.request import Parameters
from idp.protocol.targets import target
from idp.services import decoupled
from idp.services.clients import Client
from idp.stores.durable import audit, decoupled_requests
from idp.stores.durable.decoupled_requests import DecoupledRequest, Kind
from idp.stores.shortlived import polls

SLACK = 60
"""Seconds that a client's pace is remembered beyond the request's own time."""


def redeem(parts: Parts, client: Client, parameters: Parameters, *, handle: str, kind: Kind) -> dict[str, Any]:
    """Tokens, once, for the handle of a request of this client that a person has approved.

    Raises `InvalidGrant` for a handle that is unknown, another client's or used, and when session or account do not
    count any more; `AccessDenied`, `ExpiredToken`; and while nobody has decided `AuthorizationPending`, `SlowDown`.
    """
    digest = decoupled.digest(handle)
    found = decoupled_requests.of_handle(digest, client.client_id, kind)
    if found is None:
        raise InvalidGrant
    allowed = _allowed(parts, found, digest)
    aimed = target(parts, client, found.resources, found.details, parameters)
    shown = Shown(digest=digest, kind=kind)
    issued = first_tokens.issue(parts, client, allowed, shown, aimed=aimed, confirmation=parameters.confirmation)
    if issued is None:
        audit.record("tokens.refused", client_id=client.client_id, outcome="refused", reason=kind)
        raise InvalidGrant
    return issued


def _allowed(parts: Parts, found: DecoupledRequest, digest: bytes) -> Allowed:
    now = clock.now()
    left = int((found.expires_at - now).total_seconds())
    if found.state == "rejected":
        raise errors.AccessDenied("the person said no")
    if found.expires_at <= now:
        raise errors.ExpiredToken("the request is past its time: make a new one")
    if found.decision is None:
        if polls.in_time(parts.store, digest, now=now, ttl=left + SLACK):
            raise errors.AuthorizationPending("the person has not decided yet")
        raise errors.SlowDown(f"wait {polls.INTERVAL} seconds longer between two polls from now on")
    return Allowed(
        account_id=found.decision.account_id,
        sid=found.decision.sid,
        assurance=found.decision.assurance,
        session_ends_at=found.decision.session_ends_at,
        scope=found.scope,
        resources=found.resources,
        details=found.details,
    )
