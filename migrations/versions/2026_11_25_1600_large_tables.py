"""What a large past needs: runs narrowed by kind or status in their index, attempts pruned by when they expired.

The index of a tenant's runs gets two columns more. The narrower one goes at once, though migrations only add:
whatever used it finds the same at the head of the new one, and beside it PostgreSQL chose the old one at times.
"""

from alembic import op

revision = "2026_11_25_large"
down_revision = "2026_11_25_tenants"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Exchange the one, add the other."""
    op.create_index("ix_runs_feed", "runs", ["tenant", "id", "kind", "status"])
    op.drop_index("ix_runs_of_tenant", "runs")
    op.create_index("ix_attempts_expires_at", "attempts", ["expires_at"])


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_attempts_expires_at", "attempts")
    op.create_index("ix_runs_of_tenant", "runs", ["tenant", "id"])
    op.drop_index("ix_runs_feed", "runs")
