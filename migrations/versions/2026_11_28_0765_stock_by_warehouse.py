"""Levels that are given by warehouse."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_by_warehouse"
down_revision = "2026_11_28_open"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("stock_levels", sa.Column("warehouses", sa.Text))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("stock_levels", "warehouses")
