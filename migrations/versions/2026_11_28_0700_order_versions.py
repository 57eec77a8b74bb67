"""What an order was before it changed, who took it over, and when its buyer was forgotten.

No order is ever deleted, so no foreign key asks for it with every row.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_versions"
down_revision = "2026_11_28_locked"
branch_labels = None
depends_on = None

_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"


def upgrade() -> None:
    """Add the table with the wall between its tenants, and two columns."""
    op.create_table(
        "order_versions",
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_raw", sa.Text, nullable=False),
        sa.Column("channel_updated_at", sa.BigInteger, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.Column("acknowledged_by", sa.Text),
        sa.PrimaryKeyConstraint("order_id", "version", name="pk_order_versions"),
        sqlite_with_rowid=False,
    )
    op.add_column("orders", sa.Column("acknowledged_by", sa.Text))
    op.add_column("orders", sa.Column("erased_at", sa.BigInteger))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE order_versions ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON order_versions USING ({_MINE} OR {_EVERYBODYS})")


def downgrade() -> None:
    """Drop them."""
    op.drop_column("orders", "erased_at")
    op.drop_column("orders", "acknowledged_by")
    op.drop_table("order_versions")
