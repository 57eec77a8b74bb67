"""What a shop's stock writes were seen to do to the warehouses that they do not name."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_omitted"
down_revision = "2026_11_28_seen"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("accounts", sa.Column("omitted", sa.Text))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("accounts", "omitted")
