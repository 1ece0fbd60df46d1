"""The authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.6)."""

from __future__ import annotations

import hmac
from typing import Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from idp import clock
from idp.protocol import first_tokens
from idp.protocol.errors import InvalidGrant, InvalidRequest
from idp.protocol.first_tokens import Allowed, Shown
from idp.protocol.parts import Parts
from idp.protocol.request import Parameters
from idp.protocol.targets import target
from idp.services.clients import Client
from idp.stores.durable import audit, grants
from idp.stores.durable.db import transaction
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
    shown = Shown(
        digest=authorization_codes.digest(code),
        kind="authorization_code",
        code_challenge=bound.code_challenge,
        redirect_uri=bound.redirect_uri,
    )
    issued = first_tokens.issue(
        parts, client, _allowed(bound), shown, aimed=aimed, confirmation=parameters.confirmation
    )
    if issued is None:
        _end_if_replayed(client, parameters, code)
        raise InvalidGrant
    return issued


def _allowed(bound: AuthorizationCode) -> Allowed:
    return Allowed(
        account_id=bound.account_id,
        sid=bound.sid,
        assurance=bound.assurance,
        session_ends_at=bound.session_ends_at,
        scope=bound.scope,
        resources=bound.resources,
        details=bound.details,
        claims=bound.claims,
        nonce=bound.nonce,
    )


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
