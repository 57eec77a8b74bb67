"""Whose the lease of a renewal is, and indexes by which those are found that nobody has settled."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_renewals"
down_revision = "2026_11_28_rivals"
branch_labels = None
depends_on = None

_FOUND_BY = {"ix_integrations_renewing": "renewing_until", "ix_integrations_retry_at": "retry_at"}


def upgrade() -> None:
    """Add them."""
    op.add_column("integrations", sa.Column("renewing_owner", sa.Text))
    for name, column in _FOUND_BY.items():
        held = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "integrations", [column], sqlite_where=held, postgresql_where=held)


def downgrade() -> None:
    """Drop them."""
    for name in _FOUND_BY:
        op.drop_index(name, "integrations")
    op.drop_column("integrations", "renewing_owner")
