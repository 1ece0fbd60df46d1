"""What Alembic runs: on the connection, and in the transaction, that `schema.py` opened."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from idp.stores.durable.db import Instant, db


def _frozen(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    """A migration keeps meaning the same when the code goes on: it names no type of ours."""
    return "sa.DateTime()" if kind == "type" and isinstance(thing, Instant) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=db.metadata,
    render_as_batch=True,  # SQLite cannot alter a column in place
    render_item=_frozen,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
