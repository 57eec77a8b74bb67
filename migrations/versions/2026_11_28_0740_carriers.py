"""The carriers that marketplaces name, and what tenants call them."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_carriers"
down_revision = "2026_11_28_dispatch"
branch_labels = None
depends_on = None

_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"


def upgrade() -> None:
    """Add the tables, and the wall between the tenants of one."""
    op.create_table(
        "carrier_lists",
        *_texts("channel", "environment", "country", "names"),
        sa.Column("read_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("channel", "environment", "country", name="pk_carrier_lists"),
    )
    op.create_table(
        "carrier_aliases",
        *_texts("tenant", "channel", "key", "alias", "carrier"),
        sa.PrimaryKeyConstraint("tenant", "channel", "key", name="pk_carrier_aliases"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE carrier_aliases ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON carrier_aliases USING ({_MINE} OR {_EVERYBODYS})")


def downgrade() -> None:
    """Drop both."""
    op.drop_table("carrier_aliases")
    op.drop_table("carrier_lists")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]
