"""What grants are bound to: a key, and the session as its client was told of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("grants") as grants:
        grants.add_column(sa.Column("thumbprint", sa.String(length=64), nullable=True))
        grants.add_column(sa.Column("told_sid", sa.String(length=64), nullable=False, server_default=""))
    op.execute(sa.text("UPDATE grants SET told_sid = sid"))
    with op.batch_alter_table("grants") as grants:
        grants.alter_column("told_sid", server_default=None)
