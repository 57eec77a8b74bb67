"""When the consent of a merchant ends, since when renewals fail, and which end others were told of."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_ends"
down_revision = "2026_11_28_doubt"
branch_labels = None
depends_on = None

_COLUMNS = ("grant_ends_at", "renewal_failing_since", "told_of_end")


def upgrade() -> None:
    """Add the columns, and an index of the ends that are known."""
    for name in _COLUMNS:
        op.add_column("integrations", sa.Column(name, sa.BigInteger))
    known = sa.text("grant_ends_at IS NOT NULL")
    name, column = "ix_integrations_grant_ends_at", "grant_ends_at"
    op.create_index(name, "integrations", [column], sqlite_where=known, postgresql_where=known)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_integrations_grant_ends_at", "integrations")
    for name in reversed(_COLUMNS):
        op.drop_column("integrations", name)
