"""One provider for a file of protocol tests: every test brings its own person and clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idp.app import create_app
from idp.stores.durable.db import db
from tests.people import Outside, Provider, settings_for
from tests.signing import first_keys


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[Provider]:
    """The provider on SQLite. What depends on the store is tried on both, in tests/races."""
    folder = tmp_path_factory.mktemp("provider")
    stores = f"sqlite:///{folder}/idp.sqlite", f"sqlite:///{folder}/shortlived.sqlite"
    app = create_app(settings_for(stores, folder, outside))
    with app.app_context():
        db.metadata.create_all(db.engine)
        first_keys()
    made = Provider(app, app.extensions["idp"], outside)
    registered = made.register()
    made.portal, made.secret = registered.client.client_id, registered.secret or ""
    yield made
    with app.app_context():
        db.engine.dispose()
