"""The database: Flask-SQLAlchemy's `db`, `transaction()`, and the column type of instants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from sqlite3 import Connection as SqliteConnection
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, event, exc
from sqlalchemy.types import TypeDecorator

from idp.stores import Unavailable

db = SQLAlchemy(
    metadata=MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
)

DOWN = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)
"""How drivers say that they cannot now. PostgreSQL calls a read-only transaction an internal error."""

_joined: ContextVar[Connection | None] = ContextVar("joined", default=None)


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as naive UTC so that SQLite and PostgreSQL compare it alike."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Drop the zone, after making sure that it is UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


@contextmanager
def transaction() -> Iterator[Connection]:
    """A connection inside a transaction: the caller's if one is open, else a new one.

    Commits when the outermost block ends, rolls back if it raises.
    Raises `Unavailable` when the database cannot answer (requirements, section Q).
    """
    outer = _joined.get()
    if outer is not None:
        yield outer
        return
    try:
        with db.engine.begin() as connection:
            token = _joined.set(connection)
            try:
                yield connection
            finally:
                _joined.reset(token)
    except DOWN as problem:
        raise Unavailable("database") from problem


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection for statements that change nothing: the caller's transaction if one is open, else none.

    Without a transaction a read is one trip, and on SQLite it waits for no writer. Raises `Unavailable`.
    """
    outer = _joined.get()
    if outer is not None:
        yield outer
        return
    try:
        with db.engine.connect() as connection:
            yield connection.execution_options(**_READING[db.engine.dialect.name])
    except DOWN as problem:
        raise Unavailable("database") from problem


def scrub() -> None:
    """Let SQLite's journal forget what was deleted: pages are overwritten at once (`secure_delete`), it keeps copies.

    A reader may keep it from being emptied now; then the next time does it. PostgreSQL's vacuum needs nobody.
    """
    if db.engine.dialect.name == "sqlite":
        with reading() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


_READING: dict[str, Any] = {"sqlite": {"reading": True}, "postgresql": {"isolation_level": "AUTOCOMMIT"}}


def prepare(engine: Engine) -> None:
    """Set up SQLite for many writers: WAL, full durability, and one writer at a time from the start."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _connect(connection: SqliteConnection, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's BEGIN below, not the driver's
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("reading"):
            return
        # A read that turns into a write cannot wait for another writer: it fails at once. Take the lock first.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
