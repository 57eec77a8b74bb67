"""How often somebody else changed the units of a listing that were put right; listings by state, in order."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_contested"
down_revision = "2026_11_28_reservations"
branch_labels = None
depends_on = None

_INDEX = "ix_listings_contested"
_IN_TURN = "ix_listings_marked_in_turn"


def upgrade() -> None:
    """Add the columns, an index of the listings that are left as somebody else wants them, and one by state."""
    op.add_column("listings", sa.Column("drift_count", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("listings", sa.Column("drifted_at", sa.BigInteger))
    contested = sa.text("drift_count > 3")
    columns = ["account_id", "drifted_at"]
    op.create_index(_INDEX, "listings", columns, sqlite_where=contested, postgresql_where=contested)
    marked = sa.text("push_state IN ('rejected', 'drifted', 'skipped')")
    columns = ["account_id", "tenant", "push_state", "id"]
    op.create_index(_IN_TURN, "listings", columns, sqlite_where=marked, postgresql_where=marked)


def downgrade() -> None:
    """Drop them."""
    op.drop_index(_IN_TURN, "listings")
    op.drop_index(_INDEX, "listings")
    op.drop_column("listings", "drifted_at")
    op.drop_column("listings", "drift_count")
