"""The first tokens of a grant, whatever was shown for it: a code, or the handle of a request decided elsewhere."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from idp import clock
from idp.protocol import refresh_tokens, tokens
from idp.protocol.parts import Parts
from idp.protocol.request import Confirmation
from idp.protocol.targets import Target
from idp.rules.assurance import Assurance
from idp.rules.authorization_details import Details
from idp.services.clients import Client
from idp.stores.durable import audit, grants
from idp.stores.durable.db import transaction
from idp.stores.durable.grants import Grant, Redeemed


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What a person allowed, in which session, and how they were proved."""

    account_id: str
    sid: str
    assurance: Assurance
    session_ends_at: datetime
    scope: str
    resources: tuple[str, ...]
    details: Details = ()
    claims: str = ""
    nonce: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the client shows for it. Its digest makes a second use impossible (SR-80)."""

    digest: bytes = field(repr=False)
    kind: str
    code_challenge: str | None = None
    redirect_uri: str = ""


def issue(
    parts: Parts,
    client: Client,
    allowed: Allowed,
    shown: Shown,
    *,
    aimed: Target,
    confirmation: Confirmation | None,
) -> dict[str, Any] | None:
    """The token response, to exactly one of any number of callers; None for all others.

    None, too, when account or session do not count any more (SR-60).
    """
    redeemed = _redeemed(parts, client, allowed, shown, confirmation)
    if redeemed is None:
        return None
    grant, refresh = redeemed
    scopes = grant.scope.split()
    given = aimed.policy.of(scopes)
    access = tokens.access_token(parts, grant, given, aimed, confirmation=confirmation)
    answer: dict[str, Any] = {
        "access_token": access,
        "token_type": tokens.token_type(confirmation),
        "expires_in": tokens.lifetime(parts, grant),
        "scope": " ".join(given),
        **tokens.details_of(aimed),
    }
    if "openid" in scopes:
        answer["id_token"] = tokens.id_token(parts, grant, client, nonce=allowed.nonce, access=access)
    if refresh is not None:
        answer["refresh_token"] = refresh
    return answer


def _redeemed(
    parts: Parts, client: Client, allowed: Allowed, shown: Shown, confirmation: Confirmation | None
) -> tuple[Grant, str | None] | None:
    """The grant, and the first token of its refresh family; None for all but one caller."""
    now = clock.now()
    settings = parts.settings.tokens
    # Whoever authenticates is held to that; a public client's refresh token is held to its key (RFC 9449 §5).
    held_to = confirmation if not client.is_confidential else None
    grant = _grant(client, allowed, held_to, ends_at=now + timedelta(seconds=settings.refresh_absolute))
    refresh, digest = refresh_tokens.new(grant.id) if "refresh_token" in client.grant_types else (None, None)
    redeemed = Redeemed(
        code_digest=shown.digest,
        code_challenge=shown.code_challenge,
        redirect_uri=shown.redirect_uri,
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
            reason=shown.kind,
        )
    return grant, refresh


def _grant(client: Client, allowed: Allowed, held_to: Confirmation | None, *, ends_at: datetime) -> Grant:
    """Without offline access, a grant lives no longer than the session it came from (OIDC Core §11)."""
    offline = "offline_access" in allowed.scope.split()
    return Grant(
        id=secrets.token_urlsafe(16),
        reference=tokens.new_reference(),
        account_id=allowed.account_id,
        client_id=client.client_id,
        sid=allowed.sid,
        told_sid=allowed.sid,
        scope=allowed.scope,
        resources=allowed.resources,
        details=allowed.details,
        claims=allowed.claims,
        assurance=allowed.assurance,
        offline=offline,
        ends_at=ends_at if offline else min(ends_at, allowed.session_ends_at),
        thumbprint=next(iter(held_to.values())) if held_to else None,
    )
