"""Which version of an order was acknowledged last. Orders acknowledged before say when, but not which."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_acknowledged"
down_revision = "2026_11_28_incidents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("orders", sa.Column("acknowledged_version", sa.Integer))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("orders", "acknowledged_version")
