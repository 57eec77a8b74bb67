"""Dry runs of orders: what the run would bring, and what it would cost."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_estimates"
down_revision = "2026_11_28_walked_to"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("runs", sa.Column("estimate", sa.Text))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("runs", "estimate")
