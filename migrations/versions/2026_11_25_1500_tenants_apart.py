"""Row-level security: a transaction for one tenant meets no row of another. PostgreSQL only.

It binds every role but the tables' owner and superusers, so `migrate` and `pg_dump` go on as before. Without
either setting no row is there.
"""

from alembic import op

revision = "2026_11_25_tenants"
down_revision = "2026_11_25_processes"
branch_labels = None
depends_on = None

_OWNED = (
    "accounts",
    "api_keys",
    "attempts",
    "events",
    "held_orders",
    "idempotency",
    "integrations",
    "listings",
    "orders",
    "positions",
    "runs",
    "stock_levels",
)
# Whose they are stands in the row they hang below.
_BELOW = {
    "call_budgets": ("integrations", "integration_id"),
    "run_calls": ("runs", "run_id"),
    "schedules": ("integrations", "integration_id"),
    "stock_jobs": ("accounts", "account_id"),
}
# In a subquery a setting is asked for once a statement, not once a row, and the second one only where the first
# does not decide: a page of orders is one short statement a row. After a transaction a setting is '', not unset.
_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"


def upgrade() -> None:
    """Switch it on."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in _OWNED:
        _protect(table, f"{_MINE} OR {_EVERYBODYS}")
    for table, (parent, column) in _BELOW.items():
        _protect(table, f"{_EVERYBODYS} OR EXISTS (SELECT FROM {parent} WHERE {parent}.id = {table}.{column})")


def downgrade() -> None:
    """Switch it off."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in (*_OWNED, *_BELOW):
        op.execute(f"DROP POLICY of_tenant ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _protect(table: str, seen: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY of_tenant ON {table} USING ({seen})")
