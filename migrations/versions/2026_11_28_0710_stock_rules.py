"""Stock rules of SKUs and of listings, and listings that are excluded."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_rules"
down_revision = "2026_11_28_versions"
branch_labels = None
depends_on = None

_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"
_SKIPPED = "ix_listings_skipped_by_sku"
_NOT_SENT = "mapping <> 'mapped' OR NOT writable"


def upgrade() -> None:
    """Add the table with the wall between its tenants, and the columns."""
    op.create_table(
        "sku_rules",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "sku", name="pk_sku_rules"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE sku_rules ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON sku_rules USING ({_MINE} OR {_EVERYBODYS})")
    op.add_column("listings", sa.Column("excluded", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("listings", sa.Column("rules", sa.Text))
    _index("ix_listings_excluded", ["account_id", "tenant", "id"], "excluded")
    op.drop_index(_SKIPPED, "listings")
    _index(_SKIPPED, ["tenant", "stock_sku"], f"{_NOT_SENT} OR excluded")


def downgrade() -> None:
    """Drop them."""
    op.drop_index(_SKIPPED, "listings")
    _index(_SKIPPED, ["tenant", "stock_sku"], _NOT_SENT)
    op.drop_index("ix_listings_excluded", "listings")
    op.drop_column("listings", "rules")
    op.drop_column("listings", "excluded")
    op.drop_table("sku_rules")


def _index(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "listings", columns, sqlite_where=condition, postgresql_where=condition)
