"""Clients: register, find, change, remove. What metadata may say is in `idp.rules`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import orjson
from msgspec import Struct

from idp import clock
from idp.outgoing.guarded import Guarded
from idp.rules.client_metadata import Client, InvalidMetadata, Metadata
from idp.services import client_checks
from idp.stores.durable import audit, changes
from idp.stores.durable import clients as rows
from idp.stores.durable.clients import Secret
from idp.stores.durable.db import transaction

__all__ = [
    "Client",
    "InvalidMetadata",
    "Registered",
    "UnknownClient",
    "edit",
    "everyone",
    "find",
    "register",
    "remove",
    "resource_servers",
    "response",
    "rotate_secret",
    "secret_of",
    "start_of",
    "verify_secret",
]

REREAD = 1.0
"""Seconds a process may go on with a client that another process has changed or removed."""


_LIKE_AN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def start_of(client: Client, issuer: str) -> str | None:
    """Where people start at this client: its own login, told who sends them (OpenID Connect Core §4), or its home."""
    if client.initiate_login_uri is None:
        return client.client_uri
    joint = "&" if urlsplit(client.initiate_login_uri).query else "?"
    return f"{client.initiate_login_uri}{joint}{urlencode({'iss': issuer})}"


class UnknownClient(LookupError):
    """No client has this id."""


class Registered(Struct, frozen=True):
    """A client, and its secret when one was just made: the only time anybody sees it (SR-116)."""

    client: Client
    secret: str | None = None

    def __repr__(self) -> str:
        return f"Registered({self.client.client_id!r})"


# Made here, by one thread: msgspec 0.22 crashes the process where several threads are the first to use a type.
_metadata = msgspec.json.Decoder(Metadata).decode
msgspec.json.Decoder(Client)


class _Known(Struct, frozen=True):
    client: Client
    row: rows.ClientRow


@dataclass(slots=True)
class _Cache:
    clients: dict[str, _Known] = field(default_factory=dict)
    servers: Mapping[str, tuple[Client, ...]] | None = None


_cache: changes.PerDatabase[_Cache] = changes.PerDatabase(rows.CHANGES, _Cache, every=REREAD)


def register(
    metadata: Mapping[str, Any],
    *,
    loopback_issuer: bool = False,
    out: Guarded | None = None,
    registration_digest: bytes | None = None,
    together_with: Callable[[], None] | None = None,
) -> Registered:
    """Register a client from RFC 7591 metadata. Its redirect URIs are compared byte for byte ever after (SR-68).

    `out` reads its `sector_identifier_uri`; with a `registration_digest` it has registered itself.
    `together_with` is done in the same transaction, which no call to another server holds open.
    Raises `InvalidMetadata`, with the member and what is allowed.
    """
    checked = client_checks.checked(metadata, loopback_issuer=loopback_issuer, out=out)
    # Account ids have 22 characters of the same alphabet, so none of these is ever one (SR-110).
    client_id = f"c_{secrets.token_urlsafe(16)}"
    now = clock.now()
    client = _client(checked, client_id, int(now.timestamp()), by_itself=registration_digest is not None)
    secret = _new_secret(client) if client.needs_secret else None
    with transaction():
        if together_with is not None:
            together_with()
        kept = _as_kept(client, secret) if secret else None
        rows.add(client_id, _kept(checked), secret=kept, now=now, registration_digest=registration_digest)
        audit.record("client.registered", client_id=client_id, details=_noteworthy(client))
    _cache.forget()
    return Registered(client, secret)


def find(client_id: str) -> Client | None:
    """The client of an id, or None. At most a second old."""
    known = _find(client_id)
    return known.client if known else None


def verify_secret(client: Client, secret: str) -> bool:
    """Whether this is the client's secret.

    The secret is 256 random bits, so one SHA-256 and a comparison in constant time is enough (SR-82).
    """
    known = _find(client.client_id)
    expected = known.row.secret_digest if known else None
    offered = sha256(secret.encode("utf-8", "surrogatepass")).digest()
    return compare_digest(offered, expected or bytes(32)) and expected is not None


def secret_of(client: Client) -> str | None:
    """The secret of a client that authenticates by MACs; None for all others, whose secrets are kept as digests."""
    known = _find(client.client_id)
    return known.row.secret() if known else None


def resource_servers(audience: str) -> tuple[Client, ...]:
    """The clients that are registered as this audience. At most a second old."""
    cache = _cache.get()
    if cache.servers is None:
        found: dict[str, tuple[Client, ...]] = {}
        for client in everyone():
            if client.resource_server is not None:
                found[client.resource_server] = (*found.get(client.resource_server, ()), client)
        cache.servers = found
    return cache.servers.get(audience, ())


def everyone() -> list[Client]:
    """Every client, oldest first."""
    return [_from_row(row) for row in rows.in_order()]


def edit(
    client_id: str, metadata: Mapping[str, Any], *, loopback_issuer: bool = False, out: Guarded | None = None
) -> Registered:
    """Replace the whole metadata of a client (RFC 7592 §2.2). A secret is made if it now needs its first one.

    Raises `UnknownClient`, and `InvalidMetadata` as `register` does.
    """
    checked = client_checks.checked(metadata, loopback_issuer=loopback_issuer, out=out)
    with transaction():
        row = _row(client_id)
        by_itself = row.registration_digest is not None
        client = _client(checked, client_id, int(row.created_at.timestamp()), by_itself=by_itself)
        kept, secret = _secret_after(client, row)
        changed = rows.change(client_id, was=row.metadata, metadata=_kept(checked), secret=kept, now=clock.now())
        if not changed:
            raise InvalidMetadata("metadata", "somebody else has just changed this client; look at it again")
        audit.record("client.changed", client_id=client_id, details=_noteworthy(client))
    _cache.forget()
    return Registered(client, secret)


def rotate_secret(client_id: str) -> Registered:
    """Give the client a new secret; the old one is worth nothing from now on.

    Raises `UnknownClient`, and `InvalidMetadata` when it does not authenticate with a secret.
    """
    with transaction():
        client = _from_row(_row(client_id))
        if not client.needs_secret:
            method = client.token_endpoint_auth_method
            raise InvalidMetadata("token_endpoint_auth_method", f"{method} uses no secret")
        secret = _new_secret(client)
        rows.set_secret(client_id, _as_kept(client, secret), now=clock.now())
        audit.record("client.secret-rotated", client_id=client_id)
    _cache.forget()
    return Registered(client, secret)


def remove(client_id: str) -> None:
    """Forget a client: nothing it holds is worth anything any more. Raises `UnknownClient`."""
    with transaction():
        if not rows.remove(client_id):
            raise UnknownClient(client_id)
        audit.record("client.removed", client_id=client_id)
    _cache.forget()


def response(registered: Registered) -> dict[str, Any]:
    """The client information response of RFC 7591 §3.2.1; the secret only if it was just made."""
    told: dict[str, Any] = {"client_id": registered.client.client_id}
    if registered.secret is not None:
        told |= {"client_secret": registered.secret, "client_secret_expires_at": 0}
    named = msgspec.to_builtins(registered.client)
    del named["registered_itself"]
    return told | {member: value for member, value in named.items() if value is not None}


def _find(client_id: str) -> _Known | None:
    cache = _cache.get().clients
    known = cache.get(client_id)
    if known is None:
        if not _LIKE_AN_ID.fullmatch(client_id):
            return None  # no database has to see what it may choke on
        row = rows.find(client_id)
        if row is None:
            return None  # not remembered: anybody can make up ids
        known = cache[client_id] = _Known(_from_row(row), row)
    return known


def _row(client_id: str) -> rows.ClientRow:
    row = rows.find(client_id)
    if row is None:
        raise UnknownClient(client_id)
    return row


def _kept(metadata: Metadata) -> str:
    return orjson.dumps(msgspec.to_builtins(metadata)).decode()


def _from_row(row: rows.ClientRow) -> Client:
    by_itself = row.registration_digest is not None
    return _client(_metadata(row.metadata), row.client_id, int(row.created_at.timestamp()), by_itself=by_itself)


def _client(metadata: Metadata, client_id: str, issued_at: int, *, by_itself: bool) -> Client:
    named = msgspec.to_builtins(metadata)
    ours = {"client_id": client_id, "client_id_issued_at": issued_at, "registered_itself": by_itself}
    return msgspec.convert(named | ours, Client)


def _noteworthy(client: Client) -> dict[str, str | int | bool]:
    """What an auditor looks for: what a client may do that others may not (SR-70)."""
    return {
        "method": client.token_endpoint_auth_method,
        "grants": " ".join(client.grant_types),
        "scope": client.scope,
        "first_party": client.first_party,
        "pkce_exempt": client.pkce_exempt,
        "registered_itself": client.registered_itself,
    }


def _new_secret(client: Client) -> str:
    """256 bits of A-Z a-z 0-9 - _, so no client can encode it wrongly; more where HS512 wants it (RFC 7518 §3.2)."""
    return secrets.token_urlsafe(64 if client.signs_with_secret else 32)


def _as_kept(client: Client, secret: str) -> Secret:
    return Secret(sha256(secret.encode("ascii")).digest(), secret if client.signs_with_secret else None)


def _secret_after(client: Client, row: rows.ClientRow) -> tuple[Secret | None, str | None]:
    """What is kept when the metadata changes; and the new secret, where the one before cannot serve."""
    if not client.needs_secret:
        return None, None
    if row.secret_digest is None or (client.signs_with_secret and row.sealed_secret is None):
        secret = _new_secret(client)
        return _as_kept(client, secret), secret
    return Secret(row.secret_digest, row.secret() if client.signs_with_secret else None), None
