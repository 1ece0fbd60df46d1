"""Sign-outs whose page is still to be shown: which clients hear of them, and how."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from idp.stores.shortlived.contract import ShortLived

KEPT_FOR = 600
"""Seconds."""


class Party(Struct, frozen=True):
    """A client that must hear of it: by the message `notice`, by its page `frame`, by both, or by neither."""

    name: str
    notice: str | None
    frame: str | None
    sid: str
    """What it knows the session as."""


class SignedOut(Struct, frozen=True):
    """Who must hear of a sign-out, since when, and where the browser goes afterwards."""

    parties: tuple[Party, ...]
    at: datetime
    after: str | None = None


_decode = msgspec.msgpack.Decoder(SignedOut).decode
_encode = msgspec.msgpack.Encoder().encode


def put(store: ShortLived, name: str, signed_out: SignedOut) -> None:
    """Keep it under a name that nobody can guess."""
    store.put(f"signed-out:{name}", _encode(signed_out), ttl=KEPT_FOR)


def get(store: ShortLived, name: str) -> SignedOut | None:
    """What was kept, or None."""
    found = store.get(f"signed-out:{name}")
    return _decode(found) if found else None
