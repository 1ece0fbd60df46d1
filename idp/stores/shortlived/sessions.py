"""Live sessions, under a digest of the id that the browser holds (SR-52)."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

import msgspec
from msgspec import Struct

from idp import correlation
from idp.rules.assurance import Proof
from idp.stores.shortlived.contract import ShortLived


class Session(Struct, frozen=True, kw_only=True):
    """A browser's sign-in: proofs, not a level. `sid` is what tokens and clients know it by."""

    sid: str
    account_id: str
    proofs: tuple[Proof, ...]
    started_at: datetime
    last_seen: datetime
    ends_at: datetime


class Seen(Struct, frozen=True):
    """Where a sign-in was last in use, by its `sid`.

    It lives no longer than the session itself, so the list of sign-ins needs no network that lasts (SR-119).
    """

    at: datetime
    network: str
    record: str
    """The key of the live session."""


_decode = msgspec.msgpack.Decoder(Session).decode
_decode_seen = msgspec.msgpack.Decoder(Seen).decode
_encode = msgspec.msgpack.Encoder().encode


def _key(session_id: str) -> str:
    return f"session:{sha256(session_id.encode()).hexdigest()}"


def put(store: ShortLived, session_id: str, session: Session, *, idle: int) -> None:
    """Keep the session for `idle` seconds from now."""
    store.put(_key(session_id), _encode(session), ttl=idle)
    seen = Seen(session.last_seen, correlation.current().network, _key(session_id))
    store.put(_seen_key(session.sid), _encode(seen), ttl=idle)


def get(store: ShortLived, session_id: str) -> Session | None:
    """The session of the id, or None."""
    found = store.get(_key(session_id))
    return _decode(found) if found else None


def seen(store: ShortLived, sid: str) -> Seen | None:
    """When and where the sign-in was last in use; None when it no longer lives."""
    found = store.get(_seen_key(sid))
    return _decode_seen(found) if found else None


def erase(store: ShortLived, sid: str) -> None:
    """Leave nothing of a sign-in, whoever holds its id."""
    found = store.take(_seen_key(sid))
    if found:
        store.take(_decode_seen(found).record)


def drop(store: ShortLived, session_id: str) -> None:
    """Forget the session of the id."""
    store.take(_key(session_id))


def _seen_key(sid: str) -> str:
    return f"seen:{sid}"
