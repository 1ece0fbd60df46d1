"""A provider with one eID, whose answers the test writes down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.app import create_app
from idp.eid import registry
from idp.stores.durable.db import db
from tests.eid.scripted import Scripted
from tests.people import Outside, Provider, settings_for
from tests.signing import first_keys


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
    app = create_app(settings_for(stores, tmp_path, outside))
    with app.app_context():
        db.metadata.create_all(db.engine)
        first_keys()
    made = Provider(app, app.extensions["idp"], outside)
    registered = made.register()
    made.portal, made.secret = registered.client.client_id, registered.secret or ""
    yield made
    with app.app_context():
        db.engine.dispose()
