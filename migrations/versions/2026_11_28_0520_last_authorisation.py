"""How the last attempt to authorise an integration ended."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_authorised"
down_revision = "2026_11_28_quotas"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("integrations", sa.Column("last_authorisation", sa.Text))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("integrations") as integrations:
        integrations.drop_column("last_authorisation")
