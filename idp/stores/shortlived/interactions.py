"""Interactions: one record each, from the authorization request until its answer is taken."""

from __future__ import annotations

from idp.stores.shortlived.contract import ShortLived

LIFETIME = 24 * 3600
"""Seconds: as long as a journey is remembered, so that nobody is rushed (page spec §6)."""

START_LIFETIME = 30 * 24 * 3600
"""Seconds that the way back to the client is known after its journey is gone (page spec §7)."""


def put(store: ShortLived, interaction_id: str, record: bytes) -> None:
    """Keep the record of a new interaction."""
    store.put(f"interaction:{interaction_id}", record, ttl=LIFETIME)


def get(store: ShortLived, interaction_id: str) -> bytes | None:
    """The record, or None when it is over."""
    return store.get(f"interaction:{interaction_id}")


def swap(store: ShortLived, interaction_id: str, old: bytes, new: bytes) -> bool:
    """Replace the record if nobody else did."""
    return store.swap(f"interaction:{interaction_id}", old, new, ttl=LIFETIME)


def take(store: ShortLived, interaction_id: str) -> bytes | None:
    """The record, to exactly one caller."""
    return store.take(f"interaction:{interaction_id}")


def put_start(store: ShortLived, interaction_id: str, start_uri: str) -> None:
    """Remember where the person can start again when everything else is forgotten."""
    store.put(f"start:{interaction_id}", start_uri.encode(), ttl=START_LIFETIME)


def start_of(store: ShortLived, interaction_id: str) -> str | None:
    """The registered start address of the client that began this interaction, if still known."""
    found = store.get(f"start:{interaction_id}")
    return found.decode() if found else None
