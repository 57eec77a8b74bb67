"""Held orders that were not tried yet are found without their replies being gone through."""

from alembic import op

revision = "2026_11_28_untried"
down_revision = "2026_11_28_estimates"
branch_labels = None
depends_on = None

_NAME = "ix_held_orders_tried"


def upgrade() -> None:
    """Add an index that has all the look asks for: the column itself lies behind the reply."""
    op.create_index(_NAME, "held_orders", ["account_id", "tried_with", "id", "tenant", "erased"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(_NAME, "held_orders")
