"""Units of orders that no level counts yet, held back from what listings are told."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_reservations"
down_revision = "2026_11_28_platform_apps"
branch_labels = None
depends_on = None

_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"


def upgrade() -> None:
    """Add the table with the wall between its tenants, and how much of each level is held back."""
    op.create_table(
        "reservations",
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("line", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("variation_id", sa.Text),
        sa.Column("sku", sa.Text),
        sa.Column("units", sa.Integer, nullable=False),
        sa.Column("sold_by", sa.BigInteger, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("order_id", "line", name="pk_reservations"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_reservations_by_sku", "reservations", ["tenant", "sku"])
    condition = sa.text("NOT settled")
    op.create_index(
        "ix_reservations_unsettled",
        "reservations",
        ["tenant"],
        sqlite_where=condition,
        postgresql_where=condition,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE reservations ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON reservations USING ({_MINE} OR {_EVERYBODYS})")
    op.add_column("stock_levels", sa.Column("reserved", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("stock_levels", "reserved")
    op.drop_table("reservations")
