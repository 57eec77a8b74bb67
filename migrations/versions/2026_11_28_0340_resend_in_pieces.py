"""How far a shop's listings are on their way to be told their stock by changed rules."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_resend"
down_revision = "2026_11_28_renewals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("accounts", sa.Column("resend_after", sa.Text))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("accounts", "resend_after")
