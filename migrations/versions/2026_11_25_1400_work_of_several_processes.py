"""What several processes share: the queue, chores, the budget of calls, and what work killed its process."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_processes"
down_revision = "2026_11_25_personal"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the tables; on PostgreSQL also what the engine keeps its queue in."""
    op.add_column("schedules", sa.Column("crashes", sa.Integer, nullable=False, server_default="0"))
    queued = sa.text("status = 'queued'")
    op.create_index("ix_runs_queued", "runs", ["id"], sqlite_where=queued, postgresql_where=queued)
    op.create_table(
        "turns",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_turns"),
    )
    op.create_table(
        "call_budgets",
        sa.Column("integration_id", sa.Text, nullable=False),
        sa.Column("spent_until", sa.BigInteger, nullable=False),
        sa.Column("paused_until", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name="fk_call_budgets_integration_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("integration_id", name="pk_call_budgets"),
    )
    _in_postgres(lambda engine: engine.build_install_query())


def downgrade() -> None:
    """Drop them."""
    _in_postgres(lambda engine: engine.build_uninstall_query())
    op.drop_table("call_budgets")
    op.drop_table("turns")
    op.drop_index("ix_runs_queued", "runs")
    op.drop_column("schedules", "crashes")


def _in_postgres(choose) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
    from pgqueuer.domain.settings import DBSettings, Durability

    sql = choose(QueryBuilderEnvironment(DBSettings(durability=Durability.balanced)))
    # Several statements at once: the driver takes them only outside of prepared statements.
    op.get_bind().connection.dbapi_connection.run_async(lambda connection: connection.execute(sql))
