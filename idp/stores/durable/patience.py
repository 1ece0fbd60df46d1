"""A PostgreSQL connection that waits so long and no longer: a frozen server hangs no worker (section Q).

PostgreSQL's own time-outs are kept by the server, which is no help when it is the server that stands still.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from sqlalchemy import Engine, event, exc

Result = TypeVar("Result")

PING = 0.5
"""Seconds that an idle connection has to show that it lives. With the two seconds that libpq's shortest
connect time-out takes, a person hears of a frozen database within three."""


REST = 1.0
"""Seconds in which nobody knocks again after a connection attempt that waited as long as this in vain."""


class Bounded(psycopg.Connection[Any]):
    """A connection on which no wait is longer than `patience` seconds; then it is closed for good."""

    patience: float = 3.0

    def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        """Run one exchange with the server. Raises `OperationalError` when it takes too long."""
        try:
            return super().wait(gen, interval, timeout or self.patience)
        except _WaitTimeout:  # whatever the server says later, it is not the answer to the next question
            self.pgconn.finish()
            raise


def bound(engine: Engine, *, seconds: float) -> None:
    """Make every connection of this engine a bounded one, asked whether it lives before it is used."""
    waited_at = -REST

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Bounded:
        nonlocal waited_at
        began = monotonic()
        if began - waited_at < REST:
            raise psycopg.OperationalError("the database server did not answer a moment ago")
        try:
            connection = Bounded.connect(*arguments, **options)
        except psycopg.Error:
            if monotonic() - began >= REST:
                waited_at = monotonic()
            raise
        connection.patience = seconds
        return connection

    @event.listens_for(engine, "checkout")
    def _lives(connection: Bounded, _record: Any, _fairy: Any) -> None:
        connection.patience, connection.autocommit = PING, True
        try:
            connection.execute("")
            connection.autocommit = False
        except psycopg.Error as problem:
            raise exc.DisconnectionError from problem
        finally:
            connection.patience = seconds
