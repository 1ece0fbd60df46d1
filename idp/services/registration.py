"""Clients that register themselves (RFC 7591), and look after themselves (RFC 7592). Off unless switched on (SR-110).

Whoever holds an initial access token may register; an administrator makes them, and says there what such
clients may have that others may not.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import orjson
from msgspec import Struct

from idp import clock
from idp.outgoing.guarded import Guarded
from idp.rules.client_metadata import MEMBERS, InvalidMetadata
from idp.services import clients
from idp.services.clients import Client, Registered, UnknownClient
from idp.stores.durable import audit, registration_tokens
from idp.stores.durable import clients as rows
from idp.stores.durable.db import transaction
from idp.stores.durable.registration_tokens import TokenRow

OURS = (
    "first_party",
    "pkce_exempt",
    "resources",
    "resource_server",
    "access_token_format",
    "accepted_scopes",
    "claims_in_id_token",
)
"""Members that nobody can give themselves: an administrator's allowance has them."""

GRANTS = ("authorization_code", "refresh_token")
"""SR-110."""


class NotAllowed(PermissionError):
    """The token is wrong, used up, expired, or another client's."""


class Invited(Struct, frozen=True):
    """An initial access token that was just made: the only time anybody sees it."""

    id: str
    token: str

    def __repr__(self) -> str:
        return f"Invited({self.id!r})"


class Invitation(Struct, frozen=True):
    """An initial access token as it is listed; `allowed` is what its clients may have that others may not."""

    id: str
    uses_left: int
    expires_at: datetime
    allowed: dict[str, Any]


class Own(Struct, frozen=True):
    """A client that registered itself, its secret if it has one, and its token for managing itself."""

    registered: Registered
    token: str

    def __repr__(self) -> str:
        return f"Own({self.registered!r})"


def invite(allowance: Mapping[str, Any], *, uses: int, days: int) -> Invited:
    """Make an initial access token for so many clients in so many days."""
    token_id, token = secrets.token_urlsafe(9), secrets.token_urlsafe(32)
    now = clock.now()
    row = TokenRow(token_id, orjson.dumps(dict(allowance)).decode(), uses, now + timedelta(days=days))
    with transaction():
        registration_tokens.add(row, digest=_digest(token), now=now)
        audit.record("registration.invited", details={"invitation": token_id, "uses": uses, "days": days})
    return Invited(token_id, token)


def invitations() -> list[Invitation]:
    """The initial access tokens that are known, oldest first."""
    return [
        Invitation(row.id, row.uses_left, row.expires_at, orjson.loads(row.allowance))
        for row in registration_tokens.in_order()
    ]


def withdraw(token_id: str) -> bool:
    """Take an initial access token back. False when there is none."""
    with transaction():
        removed = registration_tokens.remove(token_id)
        if removed:
            audit.record("registration.withdrawn", details={"invitation": token_id})
    return removed


def forget() -> int:
    """Delete initial access tokens that have expired; how many."""
    return registration_tokens.forget(before=clock.now())


def register(token: str, given: Mapping[str, Any], *, loopback_issuer: bool, out: Guarded) -> Own:
    """Register whoever holds an initial access token. Raises `NotAllowed`, `InvalidMetadata`."""
    now = clock.now()
    found = registration_tokens.find(_digest(token), now=now)
    if found is None:
        raise NotAllowed("the initial access token does not count")
    own = secrets.token_urlsafe(32)
    metadata = _allowed(given, orjson.loads(found.allowance))

    def spend() -> None:
        if not registration_tokens.spend(found.id, now=now):
            raise NotAllowed("the initial access token is used up")

    registered = clients.register(
        metadata,
        loopback_issuer=loopback_issuer,
        out=out,
        registration_digest=_digest(own),
        together_with=spend,
    )
    return Own(registered, own)


def managed(client_id: str, token: str) -> Client:
    """The client that its own registration access token is for. Raises `NotAllowed`."""
    row = rows.find(client_id)
    expected = row.registration_digest if row else None
    if not compare_digest(_digest(token), expected or bytes(32)) or expected is None:
        raise NotAllowed("the registration access token does not count")
    client = clients.find(client_id)
    if client is None:
        raise NotAllowed("the client is gone")
    return client


def replace(client: Client, given: Mapping[str, Any], *, loopback_issuer: bool, out: Guarded) -> Registered:
    """Put new metadata in the place of all the old (RFC 7592 §2.2). Raises `InvalidMetadata`, `NotAllowed`."""
    allowance = {member: getattr(client, member) for member in OURS} | {"scope": client.scope}
    try:
        return clients.edit(client.client_id, _allowed(given, allowance), loopback_issuer=loopback_issuer, out=out)
    except UnknownClient as problem:
        raise NotAllowed("the client is gone") from problem


def _allowed(given: Mapping[str, Any], allowance: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of what was given: unknown members are passed over (RFC 7591 §2), ours come of the allowance."""
    metadata = {member: given[member] for member in MEMBERS if member in given and member not in OURS}
    grants = metadata.get("grant_types", ["authorization_code"])
    if not isinstance(grants, list) or not grants or not set(map(str, grants)) <= set(GRANTS):
        raise InvalidMetadata("grant_types", f"allowed: {', '.join(GRANTS)}")
    wide = allowance.get("scope")
    if wide is not None:
        asked = metadata.get("scope", wide)
        if isinstance(asked, str) and set(asked.split()) - set(wide.split()):
            raise InvalidMetadata("scope", f"allowed: {wide}")
        kept = [word for word in str(asked).split() if word != "offline_access" or "refresh_token" in grants]
        metadata["scope"] = " ".join(kept)
    return metadata | {member: value for member, value in allowance.items() if member in OURS}


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
