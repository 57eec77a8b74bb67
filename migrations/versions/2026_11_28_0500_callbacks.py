"""Callbacks without a state: each code once, and the grant that waits until a person says whose it is."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_callbacks"
down_revision = "2026_11_28_ends"
branch_labels = None
depends_on = None

_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"


def upgrade() -> None:
    """Add the table, and the wall between its tenants."""
    op.add_column("attempts", sa.Column("codes_tried", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("attempt_id", sa.Text, nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("merchant_id", sa.Text),
        sa.Column("shop_name", sa.Text),
        sa.Column("warehouse_id", sa.Text),
        sa.Column("kept_grant", sa.LargeBinary),
        sa.Column("integration_id", sa.Text),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name="fk_callbacks_attempt_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
    )
    op.create_index("uq_callbacks_code_hash", "callbacks", ["code_hash"], unique=True)
    op.create_index("ix_callbacks_attempt_id", "callbacks", ["attempt_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE callbacks ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON callbacks USING ({_MINE} OR {_EVERYBODYS})")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("callbacks")
    with op.batch_alter_table("attempts") as attempts:
        attempts.drop_column("codes_tried")
