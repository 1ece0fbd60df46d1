"""Tokens: what is signed, and what merely stands for a record."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256, sha512
from typing import Any

from idp import clock
from idp.protocol import claims as person_claims
from idp.protocol.encryption import only_for
from idp.protocol.parts import Parts
from idp.protocol.request import Confirmation
from idp.protocol.targets import Target
from idp.rules import authorization_details
from idp.rules.assurance import Assurance
from idp.services import accounts, subjects
from idp.services.clients import Client
from idp.stores.durable.grants import Grant
from idp.stores.shortlived import access_tokens
from idp.stores.shortlived.access_tokens import AccessToken

ACCESS_TOKEN = "at+jwt"  # noqa: S105 - the type's name, RFC 9068 §2.1
FALLBACK = "ES256"

PROTOCOL_CLAIMS = frozenset(
    {
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "nonce",
        "acr",
        "amr",
        "azp",
        "at_hash",
        "c_hash",
        "auth_time",
        "sid",
        "cnf",
    }
)
"""User attributes never overwrite these (SR-97)."""


def new_reference() -> str:
    """A random name of a grant, for the `jti` of its tokens."""
    return secrets.token_urlsafe(16)


def lifetime(parts: Parts, grant: Grant) -> int:
    """Seconds that an access token made now lives: none outlives its grant, nor the level it speaks of (SR-106)."""
    now = clock.now()
    stale_at = grant.assurance.at(now).until
    ends_at = min(grant.ends_at, stale_at) if stale_at is not None else grant.ends_at
    return max(1, min(parts.settings.tokens.access_token, int((ends_at - now).total_seconds())))


def proof_claims(assurance: Assurance) -> dict[str, Any]:
    """How the person proved themselves: level, methods, and when (OIDC Core §2)."""
    return {
        "auth_time": int(assurance.auth_time.timestamp()),
        "acr": assurance.acr,
        "amr": list(assurance.amr),
    }


def token_type(confirmation: Confirmation | None) -> str:
    """How an access token is to be shown: with a proof of its key, or as it is (RFC 9449 §5)."""
    return "DPoP" if confirmation is not None and "jkt" in confirmation else "Bearer"


def access_token(
    parts: Parts,
    grant: Grant,
    scopes: Sequence[str],
    aimed: Target,
    *,
    confirmation: Confirmation | None,
) -> str:
    """A token for APIs (RFC 9068) when there are audiences, else an opaque one for our own userinfo.

    It is of use only to whoever holds the key of `confirmation`, where there is one.
    """
    now = clock.now()
    expires_at = now + timedelta(seconds=lifetime(parts, grant))
    if not aimed.audiences:
        record = AccessToken(
            reference=grant.reference,
            client_id=grant.client_id,
            scope=" ".join(scopes),
            issued_at=now,
            expires_at=expires_at,
            confirmation=dict(confirmation) if confirmation else None,
        )
        return access_tokens.issue(parts.store, record, lifetime=lifetime(parts, grant))
    claims = {
        "sub": subjects.known_as(grant.client_id, grant.account_id),
        "scope": " ".join(scopes),
        **proof_claims(grant.assurance.at(now)),
        "jti": f"{grant.reference}.{secrets.token_urlsafe(12)}",
        **_bound(confirmation),
    }
    return _for_api(parts, {"client_id": grant.client_id, **claims}, aimed, now, expires_at)


def machine_token(
    parts: Parts,
    client: Client,
    scopes: Sequence[str],
    aimed: Target,
    *,
    confirmation: Confirmation | None,
) -> str:
    """A token for a client that acts for itself; its subject can be no person's (SR-95, RFC 9068 §5)."""
    now = clock.now()
    expires_at = now + timedelta(seconds=parts.settings.tokens.access_token)
    claims = {
        "sub": client.client_id,
        "scope": " ".join(scopes),
        "jti": secrets.token_urlsafe(16),
        **_bound(confirmation),
    }
    return _for_api(parts, {"client_id": client.client_id, **claims}, aimed, now, expires_at)


def delegated_token(
    parts: Parts,
    grant: Grant,
    client: Client,
    about: Mapping[str, Any],
    *,
    target: Target,
    expires_at: datetime,
    confirmation: Confirmation | None,
) -> str:
    """A token with which `client` acts for the person of a grant: it falls with that grant (RFC 8693)."""
    claims = {
        "client_id": client.client_id,
        **about,
        **proof_claims(grant.assurance.at(clock.now())),
        "jti": f"{grant.reference}.{secrets.token_urlsafe(12)}",
        **_bound(confirmation),
    }
    return _for_api(parts, claims, target, clock.now(), expires_at)


def id_token(parts: Parts, grant: Grant, client: Client, *, nonce: str | None, access: str) -> str:
    """The ID token (OIDC Core §2), signed as the client is registered."""
    now = clock.timestamp()
    algorithm = client.id_token_signed_response_alg
    claims: dict[str, Any] = {
        "iss": parts.issuer,
        "sub": subjects.subject(client, grant.account_id),
        "aud": client.client_id,
        "exp": now + parts.settings.tokens.id_token,
        "iat": now,
        **proof_claims(grant.assurance.at(clock.now())),
        "sid": grant.told_sid,
        "at_hash": _half_hash(access, algorithm),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    asked = person_claims.read(grant.claims or None)
    scopes = grant.scope.split()
    if client.claims_in_id_token or asked.id_token:
        person = accounts.person(grant.account_id)
        told: Mapping[str, Any] = person_claims.of_person(person, scopes) if person else {}
        chosen = told if client.claims_in_id_token else {name: told[name] for name in asked.id_token if name in told}
        claims |= {name: value for name, value in chosen.items() if name not in PROTOCOL_CLAIMS}
    if asked.id_token_verified is not None:  # by name only: an ID token travels in URLs as a hint (SR-123)
        claims |= person_claims.of_identity(grant.account_id, scopes, asked.id_token_verified)
    signed = parts.keyring.sign(claims, algorithm=algorithm, typ="JWT")
    return only_for(parts, client, signed, what="id_token")


def _bound(confirmation: Confirmation | None) -> dict[str, Any]:
    return {"cnf": dict(confirmation)} if confirmation else {}


def details_of(aimed: Target) -> dict[str, Any]:
    """The authorization details of a token, as tokens and answers tell them (RFC 9396 §7, §9.1)."""
    return {"authorization_details": authorization_details.told(aimed.details)} if aimed.details else {}


def _for_api(parts: Parts, claims: dict[str, Any], aimed: Target, now: datetime, expires_at: datetime) -> str:
    """As the APIs want it: signed (RFC 9068), or meaning nothing, with the same claims kept here for introspection."""
    audiences = aimed.audiences
    told = {
        "iss": parts.issuer,
        "aud": audiences[0] if len(audiences) == 1 else list(audiences),
        "exp": int(expires_at.timestamp()),
        "iat": int(now.timestamp()),
        **claims,
        **details_of(aimed),
    }
    if aimed.policy.opaque:
        record = AccessToken.of_claims(told, issued_at=now, expires_at=expires_at)
        return access_tokens.issue(parts.store, record, lifetime=max(1, int((expires_at - now).total_seconds())))
    algorithms = parts.keyring.algorithms()
    algorithm = FALLBACK if FALLBACK in algorithms else algorithms[0]
    return parts.keyring.sign(told, algorithm=algorithm, typ=ACCESS_TOKEN)


def _half_hash(token: str, algorithm: str) -> str:
    """`at_hash`: the left half of the hash that the signature uses (OIDC Core §3.1.3.6); Ed25519 uses SHA-512."""
    digest = (sha512 if algorithm in ("EdDSA", "Ed25519") else sha256)(token.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
