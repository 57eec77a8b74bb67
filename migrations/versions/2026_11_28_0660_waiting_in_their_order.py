"""Listings that wait for their stock in the order in which they began to, each at one place."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_waiting"
down_revision = "2026_11_28_mapped"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the index tell apart those that began to wait at once."""
    _index("account_id", "wanted_at", "id", "wanted_version", "settled_version")


def downgrade() -> None:
    """Make it what it was."""
    _index("account_id", "wanted_at", "wanted_version", "settled_version")


def _index(*columns: str) -> None:
    op.drop_index("ix_listings_pending", "listings")
    waits = sa.text("wanted_version > settled_version")
    op.create_index("ix_listings_pending", "listings", list(columns), sqlite_where=waits, postgresql_where=waits)
