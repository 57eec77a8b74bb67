"""Tables of integrations, runs, events and keys."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_ground"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    _accounts()
    _api_keys()
    _events()
    _idempotency()
    _meta()
    _positions()
    _integrations()
    _attempts()
    _runs()
    _schedules()
    _run_calls()


def downgrade() -> None:
    """Drop them."""
    op.drop_table("run_calls")
    op.drop_table("schedules")
    op.drop_table("runs")
    op.drop_table("attempts")
    op.drop_table("integrations")
    op.drop_table("positions")
    op.drop_table("meta")
    op.drop_table("idempotency")
    op.drop_table("events")
    op.drop_table("api_keys")
    op.drop_table("accounts")


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("integration_id", sa.Text()),
        sa.Column("attached", sa.Boolean(), nullable=False),
        sa.Column("shop_name", sa.Text()),
        sa.Column("order_cursor", sa.BigInteger()),
        sa.Column("listings_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    )
    op.create_index("ix_accounts_app", "accounts", ["channel", "environment", "client_id", "merchant_id"])
    op.create_index("ix_accounts_integration_id", "accounts", ["integration_id"])
    op.create_index(
        "uq_accounts_merchant", "accounts", ["tenant", "channel", "environment", "merchant_id"], unique=True
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_tenant", "api_keys", ["tenant", "id"])
    op.create_index("uq_api_keys_key_hash", "api_keys", ["key_hash"], unique=True)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("integration_id", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "position", name="pk_events"),
    )
    op.create_index("ix_events_created_at", "events", ["created_at"])
    op.create_index("uq_events_id", "events", ["id"], unique=True)


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("headers", sa.Text()),
        sa.Column("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )


def _positions() -> None:
    op.create_table(
        "positions",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_positions"),
    )


def _integrations() -> None:
    op.create_table(
        "integrations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("default_currency", sa.Text()),
        sa.Column("orders_from", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("status_since", sa.BigInteger(), nullable=False),
        sa.Column("draft_expires_at", sa.BigInteger()),
        sa.Column("activated_at", sa.BigInteger()),
        sa.Column("removed_at", sa.BigInteger()),
        sa.Column("pending_until", sa.BigInteger()),
        sa.Column("rejected_reason", sa.Text()),
        sa.Column("paused_reason", sa.Text()),
        sa.Column("degraded_reason", sa.Text()),
        sa.Column("account_id", sa.Text()),
        sa.Column("shop_name", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("merchant_id", sa.Text()),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.LargeBinary()),
        sa.Column("client_secret_last4", sa.Text(), nullable=False),
        sa.Column("client_secret_updated_at", sa.BigInteger(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("access_token", sa.LargeBinary()),
        sa.Column("access_token_last4", sa.Text()),
        sa.Column("access_token_expires_at", sa.BigInteger()),
        sa.Column("refresh_token", sa.LargeBinary()),
        sa.Column("refresh_token_last4", sa.Text()),
        sa.Column("previous_access_token", sa.LargeBinary()),
        sa.Column("previous_refresh_token", sa.LargeBinary()),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("renewing_since", sa.BigInteger()),
        sa.Column("renewing_until", sa.BigInteger()),
        sa.Column("renewed_at", sa.BigInteger()),
        sa.Column("retry_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_integrations"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_integrations_account_id"),
    )
    op.create_index("ix_integrations_account_id", "integrations", ["account_id"])
    op.create_index("ix_integrations_by_created_at", "integrations", ["tenant", "created_at", "id"])
    op.create_index("ix_integrations_by_name", "integrations", ["tenant", "name_key", "id"])
    _partial_index("ix_integrations_draft", "integrations", ["draft_expires_at"], "activated_at IS NULL")
    _partial_index(
        "ix_integrations_expiry",
        "integrations",
        ["access_token_expires_at"],
        "access_token_expires_at IS NOT NULL",
    )
    _partial_index("ix_integrations_removed", "integrations", ["removed_at"], "removed_at IS NOT NULL")


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ticket_hash", sa.Text(), nullable=False),
        sa.Column("state_hash", sa.Text()),
        sa.Column("cookie_hash", sa.Text()),
        sa.Column("code_verifier", sa.LargeBinary()),
        sa.Column("client_id", sa.Text()),
        sa.Column("client_secret", sa.LargeBinary()),
        sa.Column("return_url", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("continued_at", sa.BigInteger()),
        sa.Column("consumed_at", sa.BigInteger()),
        sa.Column("result", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name="fk_attempts_integration_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_attempts_integration_id", "attempts", ["integration_id"])
    op.create_index("uq_attempts_cookie_hash", "attempts", ["cookie_hash"], unique=True)
    op.create_index("uq_attempts_ticket_hash", "attempts", ["ticket_hash"], unique=True)


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("window_from", sa.BigInteger()),
        sa.Column("window_to", sa.BigInteger()),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("heartbeat_at", sa.BigInteger(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_runs_account_id"),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name="fk_runs_integration_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_runs_account_id", "runs", ["account_id"])
    op.create_index("ix_runs_heartbeat_at", "runs", ["heartbeat_at"])
    op.create_index("ix_runs_of_integration", "runs", ["tenant", "integration_id", "id"])
    op.create_index("ix_runs_of_kind", "runs", ["integration_id", "kind", "id"])
    op.create_index("ix_runs_of_tenant", "runs", ["tenant", "id"])
    _partial_index("uq_runs_open", "runs", ["integration_id", "kind"], "finished_at IS NULL", unique=True)


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("last_attempt_at", sa.BigInteger()),
        sa.Column("last_success_at", sa.BigInteger()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error_code", sa.Text()),
        sa.PrimaryKeyConstraint("integration_id", "kind", name="pk_schedules"),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name="fk_schedules_integration_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_schedules_due", "schedules", ["kind", "next_at"])


def _run_calls() -> None:
    op.create_table(
        "run_calls",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("code", sa.Integer()),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("channel_request_id", sa.Text()),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_run_calls"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_calls_run_id", ondelete="CASCADE"),
    )


def _partial_index(name: str, table: str, columns: list[str], where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
