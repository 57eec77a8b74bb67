"""Listings whose warehouse shows other units than it was told, and since when; when a whole catalogue was read."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_drift"
down_revision = "2026_11_28_erasure"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and an index of the listings that differ."""
    op.add_column("accounts", sa.Column("catalogue_at", sa.BigInteger))
    op.add_column("listings", sa.Column("differs_since", sa.BigInteger))
    differing = sa.text("differs_since IS NOT NULL")
    op.create_index(
        "ix_listings_differing",
        "listings",
        ["account_id", "id"],
        sqlite_where=differing,
        postgresql_where=differing,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_listings_differing", "listings")
    op.drop_column("listings", "differs_since")
    op.drop_column("accounts", "catalogue_at")
