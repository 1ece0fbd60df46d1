"""The authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.6)."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from idp import clock
from idp.protocol import refresh_tokens, tokens
from idp.protocol.errors import InvalidGrant, InvalidRequest
from idp.protocol.parts import Parts
from idp.protocol.request import Confirmation, Parameters
from idp.protocol.targets import target
from idp.services.clients import Client
from idp.stores.durable import audit, grants
from idp.stores.durable.db import transaction
from idp.stores.durable.grants import Grant, Redeemed
from idp.stores.shortlived import authorization_codes
from idp.stores.shortlived.authorization_codes import AuthorizationCode


def exchange(parts: Parts, client: Client, parameters: Parameters) -> dict[str, Any]:
    """Tokens for a code. The code is spent by being shown; what decides is one insert (SR-80)."""
    code = parameters.get("code")
    if code is None:
        raise InvalidRequest("code is missing")
    bound = authorization_codes.take(parts.store, code)
    if bound is None:
        _end_if_replayed(client, parameters, code)
        raise InvalidGrant
    if not _is_bound(bound, client, parameters):
        _refused(client, "a binding of the code does not hold")
        raise InvalidGrant
    aimed = target(parts, client, bound.resources, bound.details, parameters)
    redeemed = _redeemed(parts, client, bound, code, parameters.confirmation)
    if redeemed is None:
        _end_if_replayed(client, parameters, code)
        raise InvalidGrant
    grant, refresh = redeemed
    scopes = aimed.policy.of(grant.scope.split())
    access = tokens.access_token(parts, grant, scopes, aimed, confirmation=parameters.confirmation)
    answer: dict[str, Any] = {
        "access_token": access,
        "token_type": tokens.token_type(parameters.confirmation),
        "expires_in": tokens.lifetime(parts, grant),
        "scope": " ".join(scopes),
        "id_token": tokens.id_token(parts, grant, client, nonce=bound.nonce, access=access),
        **tokens.details_of(aimed),
    }
    if refresh is not None:
        answer["refresh_token"] = refresh
    return answer


def _is_bound(bound: AuthorizationCode, client: Client, parameters: Parameters) -> bool:
    """Each binding by itself (SR-79)."""
    return (
        bound.expires_at > clock.now()
        and bound.client_id == client.client_id
        and bound.redirect_uri == parameters.get("redirect_uri")
        and _is_verified(bound.code_challenge, parameters.get("code_verifier"))
        and bound.dpop_jkt in (None, (parameters.confirmation or {}).get("jkt"))
    )


def _is_verified(challenge: str | None, verifier: str | None) -> bool:
    """A verifier without a challenge fails as much as a challenge without a verifier (SR-70)."""
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    if not 43 <= len(verifier) <= 128 or not verifier.isascii():
        return False
    return hmac.compare_digest(create_s256_code_challenge(verifier), challenge)


def _redeemed(
    parts: Parts, client: Client, bound: AuthorizationCode, code: str, confirmation: Confirmation | None
) -> tuple[Grant, str | None] | None:
    """The grant, and the first token of its refresh family; None for all but one caller."""
    now = clock.now()
    settings = parts.settings.tokens
    # Whoever authenticates is held to that; a public client's refresh token is held to its key (RFC 9449 §5).
    shown = confirmation if not client.is_confidential else None
    grant = _grant(bound, shown, ends_at=now + timedelta(seconds=settings.refresh_absolute))
    refresh, digest = refresh_tokens.new(grant.id) if "refresh_token" in client.grant_types else (None, None)
    redeemed = Redeemed(
        code_digest=authorization_codes.digest(code),
        code_challenge=bound.code_challenge,
        redirect_uri=bound.redirect_uri,
        refresh_digest=digest,
        refresh_idle_until=now + timedelta(seconds=settings.refresh_idle) if refresh else None,
    )
    with transaction():
        if not grants.redeem(grant, redeemed, now=now):
            return None
        audit.record(
            "tokens.issued",
            account_id=grant.account_id,
            client_id=client.client_id,
            session=grant.sid,
            reason="authorization_code",
        )
    return grant, refresh


def _grant(bound: AuthorizationCode, shown: Confirmation | None, *, ends_at: datetime) -> Grant:
    """Without offline access, a grant lives no longer than the session it came from (OIDC Core §11)."""
    offline = "offline_access" in bound.scope.split()
    return Grant(
        id=secrets.token_urlsafe(16),
        reference=tokens.new_reference(),
        account_id=bound.account_id,
        client_id=bound.client_id,
        sid=bound.sid,
        told_sid=bound.sid,
        scope=bound.scope,
        resources=bound.resources,
        details=bound.details,
        claims=bound.claims,
        assurance=bound.assurance,
        offline=offline,
        ends_at=ends_at if offline else min(ends_at, bound.session_ends_at),
        thumbprint=next(iter(shown.values())) if shown else None,
    )


def _end_if_replayed(client: Client, parameters: Parameters, code: str) -> None:
    """A replay that is otherwise valid ends what came of the code; one that is not ends nothing (SR-81)."""
    known = grants.replayed(authorization_codes.digest(code), client.client_id)
    if known is None:
        return
    grant_id, challenge, redirect_uri = known
    if redirect_uri == parameters.get("redirect_uri") and _is_verified(challenge, parameters.get("code_verifier")):
        with transaction():
            grants.revoke(grant_id, client.client_id, now=clock.now())
            audit.record("code.replayed", client_id=client.client_id, outcome="refused")


def _refused(client: Client, reason: str) -> None:
    audit.record("tokens.refused", client_id=client.client_id, outcome="refused", reason=reason)
