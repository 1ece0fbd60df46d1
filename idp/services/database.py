"""The shape of the database, for administrators: where it stands, and bringing it to this release."""

from __future__ import annotations

from idp.stores.durable.schema import current, draft, newest, upgrade

__all__ = ["current", "draft", "newest", "upgrade"]
