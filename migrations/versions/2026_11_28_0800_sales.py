"""Of what a listing was told, what is left after sales that stored orders explain."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_sales"
down_revision = "2026_11_28_untried"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("listings", sa.Column("left_quantities", sa.Text))
    op.add_column("listings", sa.Column("left_at", sa.BigInteger))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("listings", "left_at")
    op.drop_column("listings", "left_quantities")
