"""Pushed authorization requests (RFC 9126), under the digest of their `request_uri`."""

from __future__ import annotations

import secrets
from hashlib import sha256

import msgspec
from msgspec import Struct

from idp.stores.shortlived.contract import ShortLived

PREFIX = "urn:ietf:params:oauth:request_uri:"
"""RFC 9126 §2.2."""


class PushedRequest(Struct, frozen=True):
    """What a client has pushed, each parameter as it came."""

    client_id: str
    parameters: dict[str, str]
    resources: tuple[str, ...]
    signed: bool = False


_decode = msgspec.msgpack.Decoder(PushedRequest).decode
_encode = msgspec.msgpack.Encoder().encode


def issue(store: ShortLived, pushed: PushedRequest, *, lifetime: int) -> str:
    """A new `request_uri` of 256 random bits that can be used for `lifetime` seconds."""
    request_uri = PREFIX + secrets.token_urlsafe(32)
    store.put(_key(request_uri), _encode(pushed), ttl=lifetime)
    return request_uri


def find(store: ShortLived, request_uri: str) -> PushedRequest | None:
    """The request, as often as its page is loaded anew; None when it is unknown or past its time."""
    found = store.get(_key(request_uri))
    return _decode(found) if found else None


def complete(store: ShortLived, request_uri: str, *, remembered: int) -> bool:
    """Whether this is its first completion; remembered for as many seconds as anybody may be on the way with it."""
    if not store.claim(f"{_key(request_uri)}:completed", ttl=remembered):
        return False
    store.take(_key(request_uri))
    return True


def _key(request_uri: str) -> str:
    return f"pushed-request:{sha256(request_uri.encode()).hexdigest()}"
