"""A fence for lanes, a token that tells the holder of today from one that was taken for dead; tasks that fail."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lanes", sa.Column("token", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("owners", sa.Column("failing", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("owners", "failing")
    op.drop_column("lanes", "token")
