"""One provider for a file of protocol tests: every test brings its own person and clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.people import Outside, Provider, new_provider, on_sqlite, settings_for


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[Provider]:
    """The provider on SQLite. What depends on the store is tried on both, in tests/races."""
    folder = tmp_path_factory.mktemp("provider")
    with new_provider(settings_for(on_sqlite(folder), folder, outside), outside) as made:
        yield made
