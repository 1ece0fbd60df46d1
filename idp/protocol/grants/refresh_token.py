"""The refresh token grant, with rotation (RFC 6749 §6, RFC 9700 §4.14.2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from idp import clock
from idp.protocol import refresh_tokens, tokens
from idp.protocol.errors import InvalidGrant, InvalidRequest, InvalidScope
from idp.protocol.parts import Parts
from idp.protocol.request import Parameters, scopes
from idp.protocol.targets import Target, target
from idp.services.clients import Client
from idp.stores.durable import audit, refresh_families
from idp.stores.durable.db import transaction
from idp.stores.durable.grants import Grant


def refresh(parts: Parts, client: Client, parameters: Parameters) -> dict[str, Any]:
    """New tokens for a refresh token. Level and time of the sign-in stay: a refresh renews no proof."""
    asked_at = clock.now()
    token = parameters.get("refresh_token")
    if token is None:
        raise InvalidRequest("refresh_token is missing")
    successor, digest = refresh_tokens.new(refresh_tokens.family(token))
    rotates = client.profile is None  # FAPI 2.0 §5.3.2.1: bound to the client's authentication instead
    with transaction():
        grant = _used(parts, client, token, digest if rotates else None, asked_at)
        # Raised in here, these roll the rotation back: nothing is lost by asking wrongly.
        _check_key(grant, parameters)
        wanted = _narrowed(grant, parameters) if grant else ()
        aimed = target(parts, client, grant.resources, grant.details, parameters) if grant else Target()
    if grant is None:
        raise InvalidGrant
    given = aimed.policy.of(wanted)
    access = tokens.access_token(parts, grant, given, aimed, confirmation=parameters.confirmation)
    answer: dict[str, Any] = {
        "access_token": access,
        "token_type": tokens.token_type(parameters.confirmation),
        "expires_in": tokens.lifetime(parts, grant),
        "refresh_token": successor if rotates else token,
        "scope": " ".join(given),
        **tokens.details_of(aimed),
    }
    if "openid" in wanted:
        answer["id_token"] = tokens.id_token(parts, grant, client, nonce=None, access=access)
    return answer


def _used(parts: Parts, client: Client, token: str, successor: bytes | None, asked_at: datetime) -> Grant | None:
    """The grant of the token. Without a `successor` it stays the one that counts."""
    settings = parts.settings.tokens
    idle = timedelta(seconds=settings.refresh_idle)
    family, digest = refresh_tokens.family(token), refresh_tokens.digest(token)
    if successor is None:
        grant = refresh_families.keep(family, client.client_id, digest, idle=idle)
    else:
        grace = timedelta(seconds=settings.refresh_grace)
        grant = refresh_families.rotate(
            family, client.client_id, digest, successor, asked_at=asked_at, idle=idle, grace=grace
        )
    audit.record(
        "tokens.issued" if grant else "tokens.refused",
        account_id=grant.account_id if grant else None,
        client_id=client.client_id,
        session=grant.sid if grant else None,
        outcome="success" if grant else "refused",
        reason="refresh_token",
    )
    return grant


def _check_key(grant: Grant | None, parameters: Parameters) -> None:
    """A token that is bound to a key is of no use without it (RFC 9449 §5)."""
    shown = (parameters.confirmation or {}).values()
    if grant is not None and grant.thumbprint is not None and grant.thumbprint not in shown:
        raise InvalidGrant


def _narrowed(grant: Grant, parameters: Parameters) -> tuple[str, ...]:
    granted = tuple(grant.scope.split())
    wanted = scopes(parameters.get("scope")) or granted
    if set(wanted) - set(granted):
        raise InvalidScope("scope is wider than what was granted")
    return wanted
