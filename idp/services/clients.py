"""Clients: register, find, change, remove. What metadata may say is in `idp.rules`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import orjson
from msgspec import Struct

from idp import clock
from idp.outgoing.guarded import Guarded
from idp.outgoing.known import Unreachable
from idp.rules import client_checks
from idp.rules.client_metadata import Client, InvalidMetadata, Metadata
from idp.signing import jws
from idp.stores.durable import audit, changes, keys
from idp.stores.durable import clients as rows
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
    "response",
    "rotate_secret",
    "start_of",
    "verify_secret",
]

SIGNED_RESPONSES = tuple(
    f"{what}_signed_response_alg" for what in ("id_token", "authorization", "userinfo", "introspection")
)

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
    digest: bytes | None


_cache: changes.PerDatabase[dict[str, _Known]] = changes.PerDatabase(rows.CHANGES, dict, every=REREAD)


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
    checked = _checked(metadata, loopback_issuer=loopback_issuer, out=out)
    # Account ids have 22 characters of the same alphabet, so none of these is ever one (SR-110).
    client_id = f"c_{secrets.token_urlsafe(16)}"
    now = clock.now()
    client = _client(checked, client_id, int(now.timestamp()), by_itself=registration_digest is not None)
    secret = _new_secret() if client.needs_secret else None
    with transaction():
        if together_with is not None:
            together_with()
        digest = _digest(secret) if secret else None
        rows.add(client_id, _kept(checked), secret_digest=digest, now=now, registration_digest=registration_digest)
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
    expected = known.digest if known else None
    offered = sha256(secret.encode("utf-8", "surrogatepass")).digest()
    return compare_digest(offered, expected or bytes(32)) and expected is not None


def everyone() -> list[Client]:
    """Every client, oldest first."""
    return [_from_row(row) for row in rows.in_order()]


def edit(
    client_id: str, metadata: Mapping[str, Any], *, loopback_issuer: bool = False, out: Guarded | None = None
) -> Registered:
    """Replace the whole metadata of a client (RFC 7592 §2.2). A secret is made if it now needs its first one.

    Raises `UnknownClient`, and `InvalidMetadata` as `register` does.
    """
    checked = _checked(metadata, loopback_issuer=loopback_issuer, out=out)
    with transaction():
        row = _row(client_id)
        by_itself = row.registration_digest is not None
        client = _client(checked, client_id, int(row.created_at.timestamp()), by_itself=by_itself)
        secret = _new_secret() if client.needs_secret and row.secret_digest is None else None
        digest = _digest(secret) if secret else row.secret_digest
        changed = rows.change(
            client_id,
            was=row.metadata,
            metadata=_kept(checked),
            secret_digest=digest if client.needs_secret else None,
            now=clock.now(),
        )
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
        secret = _new_secret()
        rows.set_secret(client_id, _digest(secret), now=clock.now())
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
    cache = _cache.get()
    known = cache.get(client_id)
    if known is None:
        if not _LIKE_AN_ID.fullmatch(client_id):
            return None  # no database has to see what it may choke on
        row = rows.find(client_id)
        if row is None:
            return None  # not remembered: anybody can make up ids
        known = cache[client_id] = _Known(_from_row(row), row.secret_digest)
    return known


def _checked(metadata: Mapping[str, Any], *, loopback_issuer: bool, out: Guarded | None) -> Metadata:
    checked = client_checks.read(metadata, loopback_issuer=loopback_issuer)
    if checked.jwks is not None:
        try:
            fitting = {name for key in jws.public_keys(checked.jwks) for name in key.algorithms}
        except ValueError as problem:
            raise InvalidMetadata("jwks", str(problem)) from None
        for member in ("token_endpoint_auth_signing_alg", "request_object_signing_alg"):
            wanted = getattr(checked, member)
            if wanted is not None and wanted not in fitting:
                raise InvalidMetadata(member, f"no key in `jwks` is for {wanted}")
    _check_signing(checked)
    if checked.sector_identifier_uri is not None:
        _check_sector(checked, checked.sector_identifier_uri, out)
    return checked


def _check_sector(metadata: Metadata, uri: str, out: Guarded | None) -> None:
    """The list that lies there names every redirect URI (OIDC Core §8.1)."""
    try:
        listed = out.get(uri).json() if out is not None else None
    except (Unreachable, ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        raise InvalidMetadata("sector_identifier_uri", "there is no JSON list at this address")
    missing = [one for one in metadata.redirect_uris if one not in listed]
    if missing:
        raise InvalidMetadata("sector_identifier_uri", f"the list there lacks {missing[0]!r}")


def _check_signing(metadata: Metadata) -> None:
    for member in SIGNED_RESPONSES:
        wanted = getattr(metadata, member)
        if member == "id_token_signed_response_alg" and not metadata.redirect_uris:
            continue  # it has a default, and gets no ID tokens
        stored = "EdDSA" if wanted in jws.ED25519 else wanted
        if stored is not None and stored not in keys.signing_algorithms():
            words = f"there is no signing key for {wanted}: `idp key add --algorithm {stored} --now` makes one"
            raise InvalidMetadata(member, words)


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


def _new_secret() -> str:
    return secrets.token_urlsafe(32)  # 256 bits of A-Z a-z 0-9 - _, so no client can encode it wrongly


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("ascii")).digest()
