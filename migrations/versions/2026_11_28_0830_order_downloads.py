"""Long histories: the downloads at the marketplace that are under way, and how far we are with their files."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_downloads"
down_revision = "2026_11_28_of_product"
branch_labels = None
depends_on = None

_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"
_OF_ITS_ACCOUNT = "EXISTS (SELECT FROM accounts WHERE accounts.id = order_downloads.account_id)"


def upgrade() -> None:
    """Add the table with the wall between its tenants."""
    op.create_table(
        "order_downloads",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("slot", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("channel_job_id", sa.Text),
        sa.Column("file", sa.Integer, nullable=False),
        sa.Column("passed", sa.Integer, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_order_downloads_account_id"),
        sa.PrimaryKeyConstraint("account_id", "slot", name="pk_order_downloads"),
    )
    op.create_index("ix_order_downloads_asked_at", "order_downloads", ["asked_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE order_downloads ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON order_downloads USING ({_EVERYBODYS} OR {_OF_ITS_ACCOUNT})")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("order_downloads")
