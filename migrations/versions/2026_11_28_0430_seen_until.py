"""Up to when the marketplace has shown us every order of an integration."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_seen"
down_revision = "2026_11_28_held_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. A run that succeeded before is the best we know of."""
    op.add_column("schedules", sa.Column("seen_until", sa.BigInteger))
    op.execute("UPDATE schedules SET seen_until = last_success_at WHERE kind = 'orders'")


def downgrade() -> None:
    """Drop it."""
    op.drop_column("schedules", "seen_until")
