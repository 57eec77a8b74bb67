"""How long a tenant keeps its buyers' data, how far that has come, and held replies that were erased."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_erasure"
down_revision = "2026_11_28_authorised"
branch_labels = None
depends_on = None

_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"
_NONE_YET = {"nullable": False, "server_default": "0"}


def upgrade() -> None:
    """Add the table with the wall between its tenants, and the column."""
    op.create_table(
        "retentions",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("days", sa.Integer),
        sa.Column("position", sa.BigInteger, **_NONE_YET),
        sa.Column("orders_erased", sa.BigInteger, **_NONE_YET),
        sa.Column("held_orders_erased", sa.BigInteger, **_NONE_YET),
        sa.Column("erased_until", sa.BigInteger),
        sa.PrimaryKeyConstraint("tenant", name="pk_retentions"),
    )
    op.add_column("held_orders", sa.Column("erased", sa.Boolean, nullable=False, server_default=sa.false()))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE retentions ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON retentions USING ({_MINE} OR {_EVERYBODYS})")


def downgrade() -> None:
    """Drop both."""
    op.drop_column("held_orders", "erased")
    op.drop_table("retentions")
