"""The durable store by itself: every table in an empty database, without pages or protocol."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from flask import Flask
from sqlalchemy import Engine, StaticPool, create_engine, text

from idp.stores.durable import audit_guards, audit_seals, guesses
from idp.stores.durable.db import db, prepare, transaction
from idp.stores.durable.sealing import Vault, create_root_secrets

TABLES = (audit_seals.audit_seals, guesses.guesses)
"""Named so that they are there, whatever else was imported."""


def make_tables(engine: Engine) -> None:
    """Every table, in an empty database. In SQLite they are copied: making them takes longer than most tests."""
    if engine.dialect.name != "sqlite":
        db.metadata.create_all(engine)
        return
    with closing(engine.raw_connection()) as connection:
        _tables().backup(cast("sqlite3.Connection", connection.driver_connection))


@cache
def _tables() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", check_same_thread=False)
    engine = create_engine("sqlite://", creator=lambda: made, poolclass=StaticPool)
    db.metadata.create_all(engine)
    made.commit()
    return made


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[Flask]:
    """An application with the vault and the database; DATABASE_URL puts the tables elsewhere than in SQLite."""
    create_root_secrets(tmp_path / "keys")
    app = Flask("durable")
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", f"sqlite:///{tmp_path}/durable.sqlite")
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 20}
    app.extensions["vault"] = Vault.from_directory(tmp_path / "keys")
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
        if db.engine.dialect.name == "postgresql":
            with transaction() as connection:
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
        make_tables(db.engine)
        with transaction() as connection:
            for statement in audit_guards.guards(db.engine.dialect.name):
                connection.execute(text(statement))
        yield app
        db.engine.dispose()
