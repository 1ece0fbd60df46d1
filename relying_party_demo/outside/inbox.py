"""Everything that arrived, by mail, text message and call, in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

Channel = Literal["email", "sms", "call"]

TABLE = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT,
    text TEXT NOT NULL,
    html TEXT,
    language TEXT,
    time TEXT NOT NULL,
    sender_id TEXT,
    UNIQUE (channel, sender_id)
)
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery to one recipient. `id` only ever grows; `time` is UTC, ISO 8601."""

    id: int
    channel: str
    to: str
    subject: str | None
    text: str
    html: str | None
    language: str | None
    time: str


class Inbox:
    """Deliveries, kept over restarts. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """`path` is the SQLite file; it is made when missing."""
        self._path = path
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(TABLE)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=5)) as connection, connection:
            yield connection

    def deliver(
        self,
        channel: Channel,
        to: str,
        text: str,
        *,
        subject: str | None = None,
        html: str | None = None,
        language: str | None = None,
        sender_id: str | None = None,
    ) -> bool:
        """Keep one message. False, and nothing kept, when the sender's id was delivered on this channel before."""
        row = (channel, to, subject, text, html, language, datetime.now(UTC).isoformat(), sender_id)
        with self._connection() as connection:
            kept = connection.execute(
                "INSERT INTO messages (channel, recipient, subject, text, html, language, time, sender_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                row,
            )
            return kept.rowcount == 1

    def messages(self, *, to: str = "", since: int = 0) -> list[Message]:
        """What came to exactly this address or number (any, when empty) after the message `since`, oldest first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT id, channel, recipient, subject, text, html, language, time FROM messages"
                " WHERE id > ? AND (? = '' OR lower(recipient) = lower(?)) ORDER BY id",
                (since, to, to),
            ).fetchall()
        return [Message(*row) for row in rows]

    def newest(self, *, containing: str = "", limit: int = 50) -> list[Message]:
        """The latest messages whose address or number contains these characters, newest first."""
        wanted = "".join(containing.split()).lower()
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT id, channel, recipient, subject, text, html, language, time FROM messages"
                " WHERE instr(lower(recipient), ?) > 0 ORDER BY id DESC LIMIT ?",
                (wanted, limit),
            ).fetchall()
        return [Message(*row) for row in rows]

    def message(self, message_id: int) -> Message | None:
        """The message of that id."""
        return next((message for message in self.messages(since=message_id - 1) if message.id == message_id), None)
