"""Replay marks: what may be used once within its life."""

from __future__ import annotations

from hashlib import sha256

from idp.stores.shortlived.contract import ShortLived


def claim(store: ShortLived, what: str, *, ttl: int) -> bool:
    """True for the first use only, until `ttl` seconds have passed."""
    digest = sha256(what.encode(errors="surrogatepass")).hexdigest()  # JSON may hold half a surrogate pair
    return store.claim(f"replay:{digest}", ttl=max(1, ttl))
