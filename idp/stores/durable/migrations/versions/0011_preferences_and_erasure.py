"""The time zone that people choose, and when an account will be erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("time_zone", sa.String(length=64), nullable=True))
        accounts.add_column(sa.Column("leaves_at", sa.DateTime(), nullable=True))
        accounts.create_index(op.f("ix_accounts_leaves_at"), ["leaves_at"])
