"""Integrations and attempts say whether they use the platform's own application."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_platform_apps"
down_revision = "2026_11_28_sales"
branch_labels = None
depends_on = None

_TABLES = ("integrations", "attempts")


def upgrade() -> None:
    """Add the columns: none that there is does."""
    for table in _TABLES:
        op.add_column(table, sa.Column("platform_app", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop them."""
    for table in _TABLES:
        with op.batch_alter_table(table) as changed:
            changed.drop_column("platform_app")
