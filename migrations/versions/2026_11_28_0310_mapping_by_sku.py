"""Which listings of a shop a SKU may feed, found by the SKU: mapping no longer looks through the whole shop."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_rivals"
down_revision = "2026_11_28_acknowledged"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    rivals = sa.text("mapped_sku IS NULL AND writable AND mapping <> 'gone'")
    op.create_index(
        "ix_listings_rivals",
        "listings",
        ["account_id", "stock_sku", "mapping", "id"],
        sqlite_where=rivals,
        postgresql_where=rivals,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_listings_rivals", "listings")
