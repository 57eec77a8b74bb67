"""What an API key wants to see of the orders where it does not say so."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_filters"
down_revision = "2026_11_28_rules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("api_keys", sa.Column("order_filter", sa.Text))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("api_keys", "order_filter")
