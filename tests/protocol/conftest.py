"""One provider for a file of protocol tests: every test brings its own person and clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.client_site import ClientSite, client_site
from tests.people import Outside, Provider, new_provider, on_sqlite, settings_for

SWITCHED_ON: dict[str, dict[str, Any]] = {
    "server": {"trusted_proxies": ["127.0.0.1/32"]},
    "mutual_tls": {"header": "X-Client-Cert"},
    "registration": {"enabled": True},
}
"""Every part of the protocol that can be switched on."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientSite]:
    """A client's own web site."""
    with client_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def provider(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, outside: Outside
) -> Iterator[Provider]:
    """The provider on SQLite. What depends on the store is tried on both, in tests/races.

    A file says with `SETTINGS` what it wants of the settings, and with `REACHES_SITE` that clients have a site.
    """
    sections: dict[str, Any] = dict(getattr(request.module, "SETTINGS", {}))
    if getattr(request.module, "REACHES_SITE", False):
        sections |= request.getfixturevalue("site").settings()
    folder = tmp_path_factory.mktemp("provider")
    with new_provider(settings_for(on_sqlite(folder), folder, outside, **sections), outside) as made:
        yield made
