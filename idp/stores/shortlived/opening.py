"""Which short-lived store the settings mean."""

from __future__ import annotations

from pathlib import Path

from idp.settings import ShortLivedStore
from idp.stores.shortlived.contract import ShortLived

EMBEDDED = "sqlite:///"


def open_store(settings: ShortLivedStore) -> ShortLived:
    """The store of the settings, ready for use. Redis is asked for the first time at the first verb."""
    timeout = settings.timeout_milliseconds / 1000
    if settings.url.startswith(EMBEDDED):
        from idp.stores.shortlived.embedded import EmbeddedStore  # noqa: PLC0415

        return EmbeddedStore(settings.url.removeprefix(EMBEDDED), timeout=timeout)
    from idp.stores.shortlived.redis import RedisStore  # noqa: PLC0415  (80 ms of start-up only where it is used)

    password = Path(settings.password_file).read_text("utf-8").strip() if settings.password_file else None
    return RedisStore(settings.url, timeout=timeout, password=password)


def sweep(settings: ShortLivedStore) -> None:
    """Let a store that does not do so by itself delete what has expired (SR-125)."""
    if settings.url.startswith(EMBEDDED):
        from idp.stores.shortlived import embedded  # noqa: PLC0415

        embedded.sweep(settings.url.removeprefix(EMBEDDED), timeout=settings.timeout_milliseconds / 1000)
