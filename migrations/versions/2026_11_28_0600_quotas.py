"""Indexes of what a tenant may have only so many of, so that counting it costs little however much there is."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_quotas"
down_revision = "2026_11_28_callbacks"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_integrations_drafts_of_tenant", "integrations", "activated_at IS NULL"),
    ("ix_api_keys_in_use", "api_keys", "revoked_at IS NULL"),
    ("ix_runs_asked_for", "runs", "finished_at IS NULL AND trigger IN ('manual', 'backfill')"),
)


def upgrade() -> None:
    """Add the indexes."""
    for name, table, condition in _INDEXES:
        where = sa.text(condition)
        op.create_index(name, table, ["tenant"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """As it was."""
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table)
