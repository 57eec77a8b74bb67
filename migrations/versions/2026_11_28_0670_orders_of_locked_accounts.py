"""Orders are not checked for their account a second time on PostgreSQL.

No account is ever deleted, and whoever stores orders holds the lock of their account's row. The check of every new
row cost PostgreSQL a tenth of what an order does.
"""

from alembic import op

revision = "2026_11_28_locked"
down_revision = "2026_11_28_waiting"
branch_labels = None
depends_on = None

_NAME = "fk_orders_account_id"


def upgrade() -> None:
    """Drop the foreign key. SQLite keeps it: it would copy every order to be rid of it."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(_NAME, "orders")


def downgrade() -> None:
    """Make it again, which reads every order."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_foreign_key(_NAME, "orders", "accounts", ["account_id"], ["id"])
