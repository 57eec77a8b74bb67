"""One sealed value for what is personal in an order, in place of three."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_personal"
down_revision = "2026_11_23_trade"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. The three it replaces stay for the rows that fill them, and go a release later."""
    op.add_column("orders", sa.Column("personal", sa.LargeBinary()))


def downgrade() -> None:
    """Drop it, and with it address, tax and reply of the orders stored since."""
    op.drop_column("orders", "personal")
