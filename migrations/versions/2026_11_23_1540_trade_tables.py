"""Tables of orders, listings and stock."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_trade"
down_revision = "2026_11_23_ground"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    _stock_levels()
    _held_orders()
    _orders()
    _stock_jobs()
    _listings()


def downgrade() -> None:
    """Drop them."""
    op.drop_table("listings")
    op.drop_table("stock_jobs")
    op.drop_table("orders")
    op.drop_table("held_orders")
    op.drop_table("stock_levels")


def _stock_levels() -> None:
    op.create_table(
        "stock_levels",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger()),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "sku", name="pk_stock_levels"),
    )


def _held_orders() -> None:
    op.create_table(
        "held_orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("channel_order_id", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("channel_updated_at", sa.BigInteger()),
        sa.Column("channel_request_id", sa.Text()),
        sa.Column("held_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_held_orders"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_held_orders_account_id"),
    )
    op.create_index("ix_held_orders_tenant", "held_orders", ["tenant", "id"])
    op.create_index("uq_held_orders_identity", "held_orders", ["account_id", "identity"], unique=True)


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("channel_order_id", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_raw", sa.Text(), nullable=False),
        sa.Column("channel_updated_at", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger()),
        sa.Column("ship_by", sa.BigInteger()),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("currency_defaulted", sa.Boolean(), nullable=False),
        sa.Column("revenue_amount", sa.Text()),
        sa.Column("revenue_currency", sa.Text()),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("sanitised", sa.Boolean(), nullable=False),
        sa.Column("erased", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("address", sa.LargeBinary()),
        sa.Column("tax", sa.LargeBinary()),
        sa.Column("raw", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_orders_account_id"),
    )
    op.create_index(
        "ix_orders_account_feed",
        "orders",
        ["account_id", "tenant", "position", "state", "channel_updated_at", "acknowledged_at"],
    )
    op.create_index("ix_orders_feed", "orders", ["tenant", "position", "state", "channel_updated_at"])
    _partial_index(
        "ix_orders_transaction", "orders", ["tenant", "transaction_id", "position"], "transaction_id IS NOT NULL"
    )
    _partial_index("ix_orders_unacknowledged", "orders", ["tenant", "position"], "acknowledged_at IS NULL")
    op.create_index("uq_orders_of_account", "orders", ["account_id", "channel_order_id"], unique=True)


def _stock_jobs() -> None:
    op.create_table(
        "stock_jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("channel_job_id", sa.Text()),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_stock_jobs"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_stock_jobs_account_id"),
    )
    _partial_index("uq_stock_jobs_open", "stock_jobs", ["account_id"], "closed_at IS NULL", unique=True)


def _listings() -> None:
    op.create_table(
        "listings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("variation_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text()),
        sa.Column("mapped_sku", sa.Text()),
        sa.Column("stock_sku", sa.Text()),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("writable", sa.Boolean(), nullable=False),
        sa.Column("wanted_version", sa.Integer(), nullable=False),
        sa.Column("wanted_at", sa.BigInteger()),
        sa.Column("sent_version", sa.Integer(), nullable=False),
        sa.Column("sent_quantity", sa.Integer()),
        sa.Column("sent_quantities", sa.Text()),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("settled_version", sa.Integer(), nullable=False),
        sa.Column("push_state", sa.Text()),
        sa.Column("push_code", sa.Text()),
        sa.Column("push_reason", sa.Text()),
        sa.Column("settled_at", sa.BigInteger()),
        sa.Column("job_id", sa.Text()),
        sa.Column("quantities", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("image_url", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_listings"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_listings_account_id"),
        sa.ForeignKeyConstraint(["job_id"], ["stock_jobs.id"], name="fk_listings_job_id"),
    )
    op.create_index("ix_listings_by_sku", "listings", ["tenant", "stock_sku"])
    op.create_index("ix_listings_job_id", "listings", ["job_id"])
    op.create_index("ix_listings_of_account", "listings", ["account_id", "tenant", "id"])
    _partial_index(
        "ix_listings_pending",
        "listings",
        ["account_id", "wanted_at", "wanted_version", "settled_version"],
        "wanted_version > settled_version",
    )
    op.create_index("uq_listings_variation", "listings", ["account_id", "variation_id"], unique=True)


def _partial_index(name: str, table: str, columns: list[str], where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
