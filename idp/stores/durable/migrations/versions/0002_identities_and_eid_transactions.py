"""Identities and eID transactions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "eid_transactions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("journey_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("eid", sa.String(length=64), nullable=False),
        sa.Column("flow", sa.String(length=32), nullable=False),
        sa.Column("wanted_level", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("notes", sa.LargeBinary(), nullable=True),
        sa.Column("level", sa.String(length=16), nullable=True),
        sa.Column("amr", sa.String(length=128), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("proved_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_eid_transactions_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eid_transactions")),
        sa.UniqueConstraint("state_index", name=op.f("uq_eid_transactions_state_index")),
    )
    with op.batch_alter_table("eid_transactions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_eid_transactions_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_eid_transactions_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_eid_transactions_journey_id"), ["journey_id"], unique=False)

    op.create_table(
        "identities",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("person_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("linked_at", sa.DateTime(), nullable=False),
        sa.Column("proved_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_identities_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_identities")),
        sa.UniqueConstraint("person_index", name=op.f("uq_identities_person_index")),
    )


def downgrade() -> None:
    op.drop_table("identities")
    with op.batch_alter_table("eid_transactions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_eid_transactions_journey_id"))
        batch_op.drop_index(batch_op.f("ix_eid_transactions_expires_at"))
        batch_op.drop_index(batch_op.f("ix_eid_transactions_account_id"))

    op.drop_table("eid_transactions")
