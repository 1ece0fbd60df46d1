"""Where audit events came from, apart from the events, so that it can be forgotten earlier."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_networks",
        sa.Column("event_uid", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("event_uid", name=op.f("pk_audit_networks")),
    )
    op.create_index(op.f("ix_audit_networks_at"), "audit_networks", ["at"])
