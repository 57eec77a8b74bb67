"""Incidents: what is not in order with an integration although it goes on working."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_incidents"
down_revision = "2026_11_25_large"
branch_labels = None
depends_on = None

_MINE = "tenant = (SELECT nullif(current_setting('channel_sync.tenant', true), ''))"
_EVERYBODYS = "(SELECT current_setting('channel_sync.every_tenant', true) = 'on')"


def upgrade() -> None:
    """Add the table, and the wall between its tenants."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("integration_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name="fk_incidents_integration_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    still_open, ended = sa.text("closed_at IS NULL"), sa.text("closed_at IS NOT NULL")
    op.create_index(
        "uq_incidents_open",
        "incidents",
        ["integration_id", "kind"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_index("ix_incidents_integration_id", "incidents", ["integration_id"])
    op.create_index("ix_incidents_ended", "incidents", ["closed_at"], sqlite_where=ended, postgresql_where=ended)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE incidents ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_tenant ON incidents USING ({_MINE} OR {_EVERYBODYS})")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("incidents")
