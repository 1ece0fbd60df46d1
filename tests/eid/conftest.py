"""A provider with one eID, whose answers the test writes down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.eid import registry
from tests.eid.scripted import Scripted
from tests.people import Outside, Provider, new_provider, settings_for


@pytest.fixture
def eid() -> Scripted:
    """The eID."""
    return Scripted()


@pytest.fixture
def provider(
    stores: tuple[str, str], tmp_path: Path, outside: Outside, eid: Scripted, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Provider]:
    """The provider with that eID, on either pair of stores."""
    monkeypatch.setattr(registry, "build", lambda *_, **__: {eid.name: eid})
    with new_provider(settings_for(stores, tmp_path, outside), outside) as made:
        yield made
