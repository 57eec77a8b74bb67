"""Orders that have to be shipped soon: found by that time, and told once."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_ship_by"
down_revision = "2026_11_28_carriers"
branch_labels = None
depends_on = None

_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"
_TO_SHIP = "state = 'approved' AND ship_by IS NOT NULL"


def upgrade() -> None:
    """Add the tables with the wall between their tenants, and the index."""
    op.create_table(
        "ship_by_notices",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("hours", sa.Integer),
        sa.PrimaryKeyConstraint("tenant", name="pk_ship_by_notices"),
    )
    op.create_table(
        "ship_by_told",
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("ship_by", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_ship_by_told_order_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_id", name="pk_ship_by_told"),
    )
    op.create_index("ix_ship_by_told_ship_by", "ship_by_told", ["ship_by"])
    rows = sa.text(_TO_SHIP)
    op.create_index("ix_orders_to_ship", "orders", ["tenant", "ship_by"], sqlite_where=rows, postgresql_where=rows)
    if op.get_bind().dialect.name == "postgresql":
        for table in ("ship_by_notices", "ship_by_told"):
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY of_tenant ON {table} USING ({_MINE} OR {_EVERYBODYS})")


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_orders_to_ship", "orders")
    op.drop_table("ship_by_told")
    op.drop_table("ship_by_notices")
