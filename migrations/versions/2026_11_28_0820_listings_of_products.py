"""The listings of a product are found without its shop being gone through."""

from alembic import op

revision = "2026_11_28_of_product"
down_revision = "2026_11_28_contested"
branch_labels = None
depends_on = None

_NAME = "ix_listings_of_product"


def upgrade() -> None:
    """Add the index."""
    op.create_index(_NAME, "listings", ["product_id", "account_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(_NAME, "listings")
