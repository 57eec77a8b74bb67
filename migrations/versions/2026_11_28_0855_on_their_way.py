"""Levels on their way to listings, by SKU: also those that a marketplace took and does not show yet."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_on_their_way"
down_revision = "2026_11_28_open_by_state"
branch_labels = None
depends_on = None

_NAME = "ix_listings_on_their_way_by_sku"


def upgrade() -> None:
    """Add the index."""
    on_its_way = sa.text("(wanted_version > settled_version OR doubted_at IS NOT NULL OR push_state = 'sent')")
    columns = ["tenant", "stock_sku"]
    op.create_index(_NAME, "listings", columns, sqlite_where=on_its_way, postgresql_where=on_its_way)


def downgrade() -> None:
    """Drop it."""
    op.drop_index(_NAME, "listings")
