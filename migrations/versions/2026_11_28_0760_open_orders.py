"""Open orders in their place in the feed: the few that consumers ask for again and again."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_open"
down_revision = "2026_11_28_ship_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    rows = sa.text("state IN ('approved', 'in_review')")
    columns = ["tenant", "position", "state", "account_id"]
    op.create_index("ix_orders_open", "orders", columns, sqlite_where=rows, postgresql_where=rows)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_orders_open", "orders")
