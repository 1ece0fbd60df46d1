"""The six verbs on one SQLite file, for one machine: any number of processes and threads."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import local
from weakref import WeakSet

from idp import clock
from idp.stores import Unavailable

SWEEP_EVERY = 500
"""Writes of one connection between two sweeps of what has expired."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at REAL NOT NULL
) WITHOUT ROWID
"""


class EmbeddedStore:
    """Records in one file, each for at least one second. Every verb is one statement."""

    def __init__(self, path: Path | str, *, timeout: float) -> None:
        """`timeout` is how many seconds to wait for another writer before the store counts as down."""
        self._path = Path(path)
        self._timeout = timeout
        self._held = local()
        _opened.add(self)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection():
            pass

    def put(self, key: str, value: bytes, *, ttl: int) -> None:
        """Keep `value` under `key` for `ttl` seconds."""
        self._write(
            "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE "
            "SET value = excluded.value, expires_at = excluded.expires_at",
            (key, value, _now() + max(1, ttl)),
        )

    def get(self, key: str) -> bytes | None:
        """The record, or None."""
        with self._connection() as connection:
            row = connection.execute(
                "SELECT value FROM records WHERE key = ? AND expires_at > ?", (key, _now())
            ).fetchone()
        return row[0] if row else None

    def take(self, key: str) -> bytes | None:
        """Return the record and delete it: only one caller ever gets it."""
        rows = self._write("DELETE FROM records WHERE key = ? RETURNING value, expires_at", (key,))
        return rows[0][0] if rows and rows[0][1] > _now() else None

    def swap(self, key: str, old: bytes, new: bytes, *, ttl: int | None = None) -> bool:
        """Replace the record only if it is still `old`."""
        now = _now()
        rows = self._write(
            "UPDATE records SET value = ?, expires_at = coalesce(?, expires_at) "
            "WHERE key = ? AND value = ? AND expires_at > ? RETURNING 1",
            (new, None if ttl is None else now + max(1, ttl), key, old, now),
        )
        return bool(rows)

    def claim(self, key: str, *, ttl: int) -> bool:
        """True for the first caller only, until `ttl` seconds have passed."""
        now = _now()
        rows = self._write(
            "INSERT INTO records VALUES (?, x'', ?) ON CONFLICT (key) DO UPDATE "
            "SET value = excluded.value, expires_at = excluded.expires_at WHERE records.expires_at <= ? RETURNING 1",
            (key, now + max(1, ttl), now),
        )
        return bool(rows)

    def count(self, key: str, *, window: int, by: int = 1) -> int:
        """Add `by` and return the sum within the window; `by=0` reads."""
        now = _now()
        if by == 0:
            return int(self.get(key) or 0)
        rows = self._write(
            "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
            "value = CASE WHEN records.expires_at > ? THEN CAST(CAST(records.value AS INTEGER) + ? AS BLOB) "
            "ELSE excluded.value END, "
            "expires_at = CASE WHEN records.expires_at > ? THEN records.expires_at ELSE excluded.expires_at END "
            "RETURNING value",
            (key, str(by).encode(), now + max(1, window), now, by, now),
        )
        return int(rows[0][0])

    def close(self) -> None:
        """Close this thread's connection."""
        held = getattr(self._held, "connection", None)
        if held is not None:
            held.close()
            del self._held.connection

    def _write(self, statement: str, values: tuple[object, ...]) -> list[tuple[bytes, float]]:
        with self._connection() as connection:
            self._held.writes += 1
            if self._held.writes % SWEEP_EVERY == 0:  # before the verb: what is done must not be said to have failed
                connection.execute("DELETE FROM records WHERE expires_at <= ?", (_now(),))
            rows: list[tuple[bytes, float]] = connection.execute(statement, values).fetchall()
        return rows

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            held: sqlite3.Connection | None = getattr(self._held, "connection", None)
            if held is None or self._held.process != os.getpid():  # a connection must not cross a fork
                held = self._open()
            yield held
        except sqlite3.Error as problem:
            raise Unavailable("short-lived store") from problem

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=self._timeout, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")  # what is lost here costs a retry
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted leaves no trace in the file (SR-126)
        connection.execute(SCHEMA)
        self._held.connection, self._held.process, self._held.writes = connection, os.getpid(), 0
        return connection


def sweep(path: Path | str, *, timeout: float) -> None:
    """Delete what has expired, from the journal too. For the worker: it may wait for readers. Raises `Unavailable`."""
    try:
        with closing(sqlite3.connect(path, timeout=timeout, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute(SCHEMA)
            connection.execute("DELETE FROM records WHERE expires_at <= ?", (_now(),))
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as problem:
        raise Unavailable("short-lived store") from problem


def _now() -> float:
    return clock.now().timestamp()


_opened: WeakSet[EmbeddedStore] = WeakSet()


def _close_before_fork() -> None:
    """Let a child inherit nothing that is open: SQLite would believe that the child holds its parent's locks.

    Closes what the forking thread has open (https://sqlite.org/howtocorrupt.html, section 2.6).
    """
    for store in list(_opened):
        store.close()


os.register_at_fork(before=_close_before_fork)
