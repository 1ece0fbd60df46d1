"""Changes that may be undone, addresses that were left, and codes of support."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "undoable_changes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_undoable_changes_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undoable_changes")),
        sa.UniqueConstraint("digest", name=op.f("uq_undoable_changes_digest")),
    )
    op.create_index(op.f("ix_undoable_changes_account_id"), "undoable_changes", ["account_id"])
    op.create_index(op.f("ix_undoable_changes_until"), "undoable_changes", ["until"])
    op.create_table(
        "former_addresses",
        sa.Column("email_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("left_at", sa.DateTime(), nullable=False),
        sa.Column("kept_until", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_former_addresses_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("email_index", name=op.f("pk_former_addresses")),
    )
    op.create_index(op.f("ix_former_addresses_account_id"), "former_addresses", ["account_id"])
    op.create_index(op.f("ix_former_addresses_kept_until"), "former_addresses", ["kept_until"])
    op.create_table(
        "support_codes",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_support_codes_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_support_codes")),
    )
    op.create_index(op.f("ix_support_codes_expires_at"), "support_codes", ["expires_at"])
