"""The application with the durable store and the vault, and nothing else: what commands need.

Apart from `assembly`, so that a command does not wait for journeys and protocol to be imported.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from sqlalchemy import URL, make_url

from idp.settings import Settings
from idp.stores.durable.db import db, prepare
from idp.stores.durable.sealing import Vault


def open_durable(settings: Settings) -> Flask:
    """A Flask application with the durable store and the vault, and nothing else: what commands need."""
    app = Flask("idp", static_folder=None, template_folder=str(template_folder()))
    app.config["SQLALCHEMY_DATABASE_URI"] = _database_url(settings)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(settings)
    app.extensions["vault"] = Vault.from_directory(Path(settings.secrets.directory))
    app.extensions["settings"] = settings
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
        if db.engine.dialect.name == "postgresql":
            from idp.stores.durable.patience import bound  # noqa: PLC0415 - psycopg only where it is used

            bound(db.engine, seconds=settings.database.timeout)
    return app


def template_folder() -> Path:
    """Where the templates lie: inside the installed package, or beside it in a checkout."""
    installed = Path(__file__).parent / "templates"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "templates"


def _database_url(settings: Settings) -> URL:
    url = make_url(settings.database.url)
    if settings.database.password_file is not None:
        url = url.set(password=Path(settings.database.password_file).read_text(encoding="utf-8").strip())
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database:
        path = Path(url.database).absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        url = url.set(database=str(path))
    return url


def _engine_options(settings: Settings) -> dict[str, object]:
    database = settings.database
    if database.url.startswith("sqlite"):
        return {"hide_parameters": True, "connect_args": {"timeout": database.timeout}}
    return {
        "hide_parameters": True,  # neither in logs nor in an exception's words: SR-120
        "pool_size": database.pool_size,
        "pool_timeout": database.timeout,
        "connect_args": {
            "connect_timeout": database.timeout,
            "options": f"-c statement_timeout={database.timeout * 1000} -c lock_timeout={database.timeout * 1000}",
        },
    }
