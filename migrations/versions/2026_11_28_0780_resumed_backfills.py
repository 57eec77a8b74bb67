"""Backfills: how far they are, so that one that is cut off goes on there."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_walked_to"
down_revision = "2026_11_28_held_tried"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("runs", sa.Column("walked_to", sa.BigInteger))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("runs", "walked_to")
