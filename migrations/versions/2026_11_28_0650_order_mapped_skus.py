"""The SKUs that people had mapped the listings of an order to when it came in."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_mapped"
down_revision = "2026_11_28_glance"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("orders", sa.Column("mapped_skus", sa.Text))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("orders", "mapped_skus")
