"""What marketplaces are asked to do with orders: dispatch and refund."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_dispatch"
down_revision = "2026_11_28_changes"
branch_labels = None
depends_on = None

_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"
_NEEDED = ("tenant", "account_id", "order_id", "channel_order_id", "kind", "stage")
_TEXTS = ("carrier", "tracking_number", "origin_country", "cause", "call_of", "code", "reason")
_MOMENTS = ("sent_at", "doubted_at", "settled_at", "next_at")


def upgrade() -> None:
    """Add the table, and the wall between its tenants."""
    op.create_table(
        "order_changes",
        sa.Column("id", sa.Text, nullable=False),
        *[sa.Column(name, sa.Text, nullable=False) for name in _NEEDED],
        *[sa.Column(name, sa.Text) for name in _TEXTS],
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        *[sa.Column(name, sa.BigInteger) for name in _MOMENTS],
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_order_changes_account_id"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_changes_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_order_changes"),
    )
    op.create_index("ix_order_changes_of_order", "order_changes", ["order_id", "id"])
    _index("ix_order_changes_due", ["account_id", "next_at"], "next_at IS NOT NULL")
    _index("ix_order_changes_calls", ["account_id"], "call_of IS NOT NULL")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE order_changes ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON order_changes USING ({_MINE} OR {_EVERYBODYS})")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("order_changes")


def _index(name: str, columns: list[str], condition: str) -> None:
    rows = sa.text(condition)
    op.create_index(name, "order_changes", columns, sqlite_where=rows, postgresql_where=rows)
