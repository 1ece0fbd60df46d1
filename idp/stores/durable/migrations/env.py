"""What Alembic runs: on the connection, and in the transaction, that `schema.py` opened."""

from __future__ import annotations

from alembic import context

from idp.stores.durable.db import db

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=db.metadata,
    render_as_batch=True,  # SQLite cannot alter a column in place
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
