"""About where a network is, from a database that the operator supplies; nothing is asked of anybody outside.

What is known of a sign-in is its truncated network (SR-119), so a place is never more than about right.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import maxminddb


@dataclass(frozen=True, slots=True)
class Place:
    """A town, where one is known, and a country by its ISO code."""

    town: str
    country: str


class Places:
    """The database, or none. It is opened once and read from memory as needed."""

    def __init__(self, database: str | None) -> None:
        """`database` is the path of a file in MaxMind's format (.mmdb). Raises OSError, `InvalidDatabaseError`."""
        self._reader = maxminddb.open_database(database) if database else None

    def near(self, network: str, language: str) -> Place | None:
        """About where a network (CIDR) is, the town in this language or in English; None when it is not known."""
        if self._reader is None or not network:
            return None
        found: Any = self._reader.get(ip_network(network).network_address)
        if not isinstance(found, dict) or "country" not in found:
            return None
        names = found.get("city", {}).get("names", {})
        return Place(names.get(language) or names.get("en") or "", found["country"].get("iso_code", ""))
