"""The shape of the database: which migration it stands at, and bringing it to the newest.

Migrations are in `migrations/`, run by Alembic, on SQLite and PostgreSQL alike: expand first, contract
in a later release, so that two releases can run side by side.
"""

from __future__ import annotations

from importlib import import_module
from io import StringIO
from pathlib import Path
from pkgutil import iter_modules

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from idp.stores.durable.db import db, transaction

FOLDER = Path(__file__).parent / "migrations"

_LOCK = 5_173_991_024
"""A number of our own for PostgreSQL's advisory lock."""


def newest() -> str | None:
    """The migration this release wants."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current() -> str | None:
    """The migration the database stands at; None when it has none. Raises `Unavailable`."""
    with transaction() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_behind() -> bool:
    """Whether a migration is pending. A database ahead of this release is not behind: numbers only grow."""
    stands, wanted = current(), newest()
    return wanted is not None and (stands is None or stands < wanted)


def upgrade() -> tuple[str | None, str | None]:
    """Bring the database to the newest migration; where it stood, where it stands. Raises `Unavailable`.

    All or nothing, and safe twice at once: whoever comes second waits and finds nothing to do.
    """
    config = _config()
    with transaction() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # a migration may take its time
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        before = MigrationContext.configure(connection).get_current_revision()
        if not is_behind():
            return before, before
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, MigrationContext.configure(connection).get_current_revision()


def differences() -> list[object]:
    """How the tables in the database differ from those in the code. A test wants none after `upgrade`."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - for tests and developers only

    _know_every_table()
    with transaction() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), db.metadata))


def draft(message: str) -> str:
    """Write a migration for what the code has and the database lacks; the path of the file, to be reviewed."""
    _know_every_table()
    config = _config()
    with transaction() as connection:
        config.attributes["connection"] = connection
        written = command.revision(config, message, autogenerate=True, rev_id=_next_number())
    script = written[0] if isinstance(written, list) else written
    if script is None:
        raise RuntimeError("Alembic wrote nothing")
    return str(script.path)


def _next_number() -> str:
    return f"{int(newest() or 0) + 1:04d}"


def _config() -> Config:
    config = Config(stdout=StringIO())  # a command prints its own words
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def _know_every_table() -> None:
    """Let every file here put its tables into the metadata."""
    package = Path(__file__).parent
    for module in iter_modules([str(package)]):
        if not module.ispkg:
            import_module(f"{__package__}.{module.name}")
