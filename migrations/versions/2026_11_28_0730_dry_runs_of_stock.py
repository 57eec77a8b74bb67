"""Dry runs of stock: the rules they go by, and what they found."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_changes"
down_revision = "2026_11_28_brake"
branch_labels = None
depends_on = None

_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"
_OF_ITS_RUN = "EXISTS (SELECT FROM runs WHERE runs.id = run_changes.run_id)"


def upgrade() -> None:
    """Add the table with the wall between its tenants, and the column."""
    op.add_column("runs", sa.Column("rules", sa.Text))
    op.create_table(
        "run_changes",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("listing_id", sa.Text, nullable=False),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("before", sa.Integer, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_changes_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "listing_id", name="pk_run_changes"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE run_changes ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON run_changes USING ({_EVERYBODYS} OR {_OF_ITS_RUN})")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("run_changes")
    op.drop_column("runs", "rules")
