"""Stock calls whose outcome nobody knows: whose is under way, since when one is lost, when to look at the shop."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_doubt"
down_revision = "2026_11_28_omitted"
branch_labels = None
depends_on = None

_COLUMNS = {
    "warehouse_id": sa.Text,
    "seen_at": sa.BigInteger,
    "call_of": sa.Text,
    "doubted_at": sa.BigInteger,
    "check_at": sa.BigInteger,
}


def upgrade() -> None:
    """Add the columns, and an index of the listings to look at."""
    for name, kind in _COLUMNS.items():
        op.add_column("listings", sa.Column(name, kind))
    to_check = sa.text("check_at IS NOT NULL")
    op.create_index(
        "ix_listings_checks",
        "listings",
        ["account_id", "check_at"],
        sqlite_where=to_check,
        postgresql_where=to_check,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_listings_checks", "listings")
    for name in reversed(_COLUMNS):
        op.drop_column("listings", name)
