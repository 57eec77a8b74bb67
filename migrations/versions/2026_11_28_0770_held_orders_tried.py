"""Held orders: with what they were tried last, so that they are tried again once that changes."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_held_tried"
down_revision = "2026_11_28_by_warehouse"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("held_orders", sa.Column("tried_with", sa.Text))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("held_orders", "tried_with")
