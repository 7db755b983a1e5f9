"""What a process's own clock showed at its heartbeat; the index in the report's order, which no migration made."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("owners", sa.Column("clock_at", sa.Float(), nullable=False, server_default="0"))
    op.create_index("cases_report", "cases", ["run_id", "status", sa.text("urgency DESC"), "key"])


def downgrade() -> None:
    op.drop_index("cases_report", "cases")
    op.drop_column("owners", "clock_at")
