"""Intake and people: senders, installations, repositories' own configuration, audit, quiet issues, sweeps, pauses."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbox", sa.Column("sender", sa.String(), nullable=False, server_default=""))
    op.create_index("cases_updated", "cases", ["updated_at"], unique=False)
    op.create_table(
        "installed",
        sa.Column("repo", sa.String(), nullable=False),
        sa.Column("installation_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("repo"),
    )
    op.create_index("installed_by", "installed", ["installation_id"], unique=False)
    op.create_table(
        "repository_configs",
        sa.Column("repo", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("sha", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("read_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("repo"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_at", "audit", ["at"], unique=False)
    op.create_index("audit_subject", "audit", ["subject", "at"], unique=False)
    op.create_table(
        "quiet",
        sa.Column("issue", sa.String(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("issue"),
    )
    op.create_table(
        "pauses",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("until", sa.Float(), nullable=True),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "sweeps",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    for table in ("sweeps", "pauses", "quiet", "audit", "repository_configs", "installed"):
        op.drop_table(table)
    op.drop_index("cases_updated", "cases")
    op.drop_column("inbox", "sender")
