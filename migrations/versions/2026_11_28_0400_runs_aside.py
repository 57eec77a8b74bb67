"""Runs that are open beside the ordinary one of their kind: backfills and dry runs, one of each window.

The index of open runs gets what tells them apart. The narrower one goes at once, though migrations only add: it
forbids what this is for. A version from before opens its backfills as it did, one of a kind.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_aside"
down_revision = "2026_11_28_resend"
branch_labels = None
depends_on = None

_OPEN = sa.text("finished_at IS NULL")
# What tells an open run apart that was opened before this.
_SLOTS = """
    UPDATE runs SET slot = COALESCE(CAST(window_from AS TEXT), '') || '/' || COALESCE(CAST(window_to AS TEXT), '')
        || '/' || CASE WHEN dry_run THEN 'dry' ELSE '' END
    WHERE finished_at IS NULL AND (window_from IS NOT NULL OR dry_run)"""


def upgrade() -> None:
    """Add the columns, and exchange the index."""
    op.add_column("runs", sa.Column("crashes", sa.Integer, nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("slot", sa.Text, nullable=False, server_default=""))
    op.execute(_SLOTS)
    _index("uq_runs_open_slot", ["integration_id", "kind", "slot"])
    op.drop_index("uq_runs_open", "runs")


def downgrade() -> None:
    """As it was; of the open runs of a kind the newest stays open."""
    op.execute(
        "UPDATE runs SET status = 'interrupted', finished_at = heartbeat_at WHERE finished_at IS NULL AND id < "
        "(SELECT max(newer.id) FROM runs AS newer WHERE newer.finished_at IS NULL"
        " AND newer.integration_id = runs.integration_id AND newer.kind = runs.kind)"
    )
    _index("uq_runs_open", ["integration_id", "kind"])
    op.drop_index("uq_runs_open_slot", "runs")
    op.drop_column("runs", "slot")
    op.drop_column("runs", "crashes")


def _index(name: str, columns: list[str]) -> None:
    op.create_index(name, "runs", columns, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
