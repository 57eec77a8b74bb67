"""Shops whose sellers added the platform's app in the marketplace's own store, until a tenant claims them."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_claims"
down_revision = "2026_11_28_downloads"
branch_labels = None
depends_on = None

_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"
# Nobody's yet: a tenant meets the one whose claim it can show, and may do nothing with it but make it its own.
_CLAIMED = "tenant IS NULL AND claim_hash = (SELECT nullif(current_setting('channel_sync.claim', true), ''))"


def upgrade() -> None:
    """Add the table and its wall."""
    op.create_table(
        "claims",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("id", "channel", "environment", "client_id")),
        sa.Column("tenant", sa.Text),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("claim_hash", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("error", "merchant_id", "shop_name", "warehouse_id")),
        sa.Column("kept_grant", sa.LargeBinary),
        sa.Column("integration_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_claims"),
    )
    op.create_index("uq_claims_code_hash", "claims", ["code_hash"], unique=True)
    op.create_index("uq_claims_claim_hash", "claims", ["claim_hash"], unique=True)
    op.create_index("ix_claims_expires_at", "claims", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE claims ENABLE ROW LEVEL SECURITY")
        theirs = f"{_MINE} OR {_EVERYBODYS}"
        op.execute(f"CREATE POLICY of_tenant ON claims USING ({theirs} OR ({_CLAIMED})) WITH CHECK ({theirs})")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("claims")
