"""An index by which what holds one order is found."""

from alembic import op

revision = "2026_11_28_held_order"
down_revision = "2026_11_28_aside"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.create_index("ix_held_orders_channel_order_id", "held_orders", ["tenant", "channel_order_id", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_held_orders_channel_order_id", "held_orders")
