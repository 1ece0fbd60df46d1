"""Journeys under way: sealed, since they hold what a person typed before any account exists (SR-45)."""

from __future__ import annotations

from idp.stores.durable.sealing import Vault
from idp.stores.shortlived.contract import ShortLived

PLACE = "journeys.record"

END = 30
"""Seconds after which a journey whose end was begun and not finished may be ended again."""


class JourneyRecords:
    """One sealed record per journey, renewed by use."""

    def __init__(self, store: ShortLived, vault: Vault, *, lifetime: int) -> None:
        self._store = store
        self._vault = vault
        self._lifetime = lifetime

    def load(self, journey_id: str) -> tuple[bytes, str] | None:
        """The record as stored (for `replace`) and as text, or None when the journey is forgotten."""
        sealed = self._store.get(f"journey:{journey_id}")
        return None if sealed is None else (sealed, self._vault.open(sealed, place=PLACE, row=journey_id))

    def begin(self, journey_id: str, record: str) -> None:
        """Keep the first record of a journey, unless a parallel request has done so already."""
        if self._store.claim(f"journey-begun:{journey_id}", ttl=self._lifetime):
            self._store.put(f"journey:{journey_id}", self._seal(journey_id, record), ttl=self._lifetime)

    def replace(self, journey_id: str, old: bytes, record: str) -> bool:
        """Replace the record if nobody else has; its memory lasts a full lifetime again."""
        return self._store.swap(f"journey:{journey_id}", old, self._seal(journey_id, record), ttl=self._lifetime)

    def claim_form(self, token: str) -> bool:
        """True for the first use of a rendered form (page spec §7, double submit)."""
        return self._store.claim(f"form:{token}", ttl=self._lifetime)

    def claim_end(self, journey_id: str) -> bool:
        """True for the one caller that may bring the journey to its end; another may after a crash."""
        return self._store.claim(f"journey-ends:{journey_id}", ttl=END)

    def release_end(self, journey_id: str) -> None:
        """It did not come to its end after all."""
        self._store.take(f"journey-ends:{journey_id}")

    def _seal(self, journey_id: str, record: str) -> bytes:
        return self._vault.seal(record, place=PLACE, row=journey_id)
