"""Sessions kept on the server: the cookie is an opaque id, and the file holds only that id's hash.

Every entry is a row of its own, so two tabs that answer at once do not undo each other.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin

COOKIE = "portal_session"
IDLE = 30 * 60
ABSOLUTE = 12 * 60 * 60

TABLES = """
CREATE TABLE IF NOT EXISTS sessions (key TEXT PRIMARY KEY, started INTEGER NOT NULL, seen INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
    key TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (key, name)
);
CREATE TABLE IF NOT EXISTS used_notices (jti TEXT PRIMARY KEY, until INTEGER NOT NULL);
"""


class Session(dict[str, Any], SessionMixin):
    """One browser's entries. `id` is None until there is something to keep."""

    def __init__(self, session_id: str | None = None, entries: dict[str, Any] | None = None) -> None:
        super().__init__(entries or {})
        self.id = session_id
        self.read = {name: json.dumps(value) for name, value in self.items()}

    def renew(self) -> None:
        """Go on under a new id and empty: what was planted before a sign-in is worth nothing after it."""
        self.clear()
        self.read = {}
        self.id = None


class Sessions(SessionInterface):
    """All sessions, in one SQLite file. Safe to share between threads."""

    def __init__(self, path: Path, *, secure: bool) -> None:
        self._path = path
        self._secure = secure
        path.touch(mode=0o600)
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(TABLES)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=5)) as connection, connection:
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection

    def open_session(self, app: Flask, request: Request) -> Session:  # Flask's signature
        """The session of the request's cookie, or an empty one."""
        session_id = request.cookies.get(COOKIE)
        if not session_id:
            return Session()
        now, key = int(time.time()), _key(session_id)
        with self._connection() as connection:
            live = connection.execute(
                "SELECT seen FROM sessions WHERE key = ? AND seen > ? AND started > ?",
                (key, now - IDLE, now - ABSOLUTE),
            ).fetchone()
            if live is None:
                return Session()
            if now - live[0] > 60:
                connection.execute("UPDATE sessions SET seen = ? WHERE key = ?", (now, key))
            rows = connection.execute("SELECT name, value FROM entries WHERE key = ?", (key,)).fetchall()
        return Session(session_id, {name: json.loads(value) for name, value in rows})

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write what this request changed, and give the browser its cookie when the id is new."""
        if not isinstance(session, Session) or (session.id is None and not session):
            return
        if session.id is None:
            session.id = secrets.token_urlsafe(32)
            response.set_cookie(COOKIE, session.id, httponly=True, samesite="Lax", secure=self._secure)
        self.keep(session)

    def keep(self, session: Session) -> None:
        """Write the entries that changed since they were read."""
        if session.id is None:
            return
        key, now = _key(session.id), int(time.time())
        written = {name: json.dumps(value) for name, value in session.items()}
        changed = [(key, name, value) for name, value in written.items() if session.read.get(name) != value]
        gone = [(key, name) for name in session.read if name not in written]
        if not changed and not gone:
            return
        with self._connection() as connection:
            connection.execute("INSERT OR IGNORE INTO sessions VALUES (?, ?, ?)", (key, now, now))
            connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", changed)
            connection.executemany("DELETE FROM entries WHERE key = ? AND name = ?", gone)
        session.read = written

    def latest(self, session: Session, name: str) -> Any:
        """An entry as another request may just have left it; None if there is none."""
        with self._connection() as connection:
            row = connection.execute(
                "SELECT value FROM entries WHERE key = ? AND name = ?", (_key(session.id or ""), name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def end(self, session: Session) -> None:
        """Forget the session everywhere; go on with an empty one."""
        now = int(time.time())
        with self._connection() as connection:
            connection.execute("DELETE FROM sessions WHERE key = ?", (_key(session.id or ""),))
            connection.execute("DELETE FROM sessions WHERE seen < ? OR started < ?", (now - IDLE, now - ABSOLUTE))
        session.renew()

    def end_those_of(self, *, sid: str | None, sub: str | None) -> None:
        """End the sessions that the provider calls so; without a `sid`, all of the person's."""
        name, value = ("sid", sid) if sid else ("sub", sub)
        with self._connection() as connection:
            statement = "DELETE FROM sessions WHERE key IN (SELECT key FROM entries WHERE name = ? AND value = ?)"
            connection.execute(statement, (name, json.dumps(value)))

    def first_time(self, jti: str, *, until: int) -> bool:
        """Whether a notice of this name was never heard before; remembered until then."""
        with self._connection() as connection:
            connection.execute("DELETE FROM used_notices WHERE until < ?", (int(time.time()),))
            statement = "INSERT OR IGNORE INTO used_notices VALUES (?, ?)"
            return connection.execute(statement, (sha256(jti.encode()).hexdigest(), until)).rowcount == 1


def _key(session_id: str) -> str:
    return sha256(session_id.encode()).hexdigest()
