"""Live sessions, under a digest of the id that the browser holds (SR-52)."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

import msgspec
from msgspec import Struct

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


_decode = msgspec.msgpack.Decoder(Session).decode
_encode = msgspec.msgpack.Encoder().encode


def _key(session_id: str) -> str:
    return f"session:{sha256(session_id.encode()).hexdigest()}"


def put(store: ShortLived, session_id: str, session: Session, *, idle: int) -> None:
    """Keep the session for `idle` seconds from now."""
    store.put(_key(session_id), _encode(session), ttl=idle)


def get(store: ShortLived, session_id: str) -> Session | None:
    """The session of the id, or None."""
    found = store.get(_key(session_id))
    return _decode(found) if found else None


def drop(store: ShortLived, session_id: str) -> None:
    """Forget the session of the id."""
    store.take(_key(session_id))
