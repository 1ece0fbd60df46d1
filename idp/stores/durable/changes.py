"""Version counters of small tables, so that a process may keep what it read until it changes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Engine, Integer, String, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.stores.durable.db import db, reading, transaction

Kept = TypeVar("Kept")

changes = Table(
    "changes",
    db.metadata,
    Column("name", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
)


def bump(name: str) -> None:
    """Say that what `name` stands for has changed. Joins the caller's transaction."""
    one_more = update(changes).where(changes.c.name == name).values(number=changes.c.number + 1)
    with transaction() as connection:
        if connection.execute(one_more).rowcount:
            return
        try:
            with connection.begin_nested():
                connection.execute(insert(changes).values(name=name, number=1))
        except IntegrityError:  # someone else wrote the first
            connection.execute(one_more)


def number(name: str) -> int:
    """How often it has changed so far."""
    with reading() as connection:
        return connection.execute(select(changes.c.number).where(changes.c.name == name)).scalar() or 0


class PerDatabase(Generic[Kept]):
    """A value of this process for each database in use, made anew when `name` has changed.

    The counter is read at most every `every` seconds, so the value is at most that old.
    """

    def __init__(self, name: str, make: Callable[[], Kept], *, every: float) -> None:
        self._name = name
        self._make = make
        self._every = every
        self._kept: WeakKeyDictionary[Engine, tuple[Kept, int, float]] = WeakKeyDictionary()
        self._lock = Lock()

    def get(self) -> Kept:
        """The value. Raises `Unavailable` when it is time to ask the database and it cannot answer."""
        engine = db.engine
        with self._lock:
            found = self._kept.get(engine)
        if found is not None and monotonic() - found[2] < self._every:
            return found[0]
        asked = monotonic()
        present = number(self._name)
        value = found[0] if found is not None and found[1] == present else self._make()
        with self._lock:
            self._kept[engine] = (value, present, asked)
        return value

    def forget(self) -> None:
        """Ask the database at the next use: this process has just changed it."""
        with self._lock:
            self._kept.pop(db.engine, None)
