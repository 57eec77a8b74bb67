"""The brake of a shop: a push that would have emptied too much of it at once."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_brake"
down_revision = "2026_11_28_filters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("accounts", sa.Column("brake", sa.Text))
    op.add_column("accounts", sa.Column("brake_released_at", sa.BigInteger))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("accounts", "brake_released_at")
    op.drop_column("accounts", "brake")
