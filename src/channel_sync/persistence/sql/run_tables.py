"""The tables of runs: what was done, what is due, and whose turn it is."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from channel_sync.domain.orders import OrderEstimate
from channel_sync.domain.runs import Counts, Outcome, RunError, RunKind, RunStatus, Trigger
from channel_sync.domain.stock import UnitRules
from channel_sync.persistence.sql.column_types import Document, OneOf, Utc
from channel_sync.persistence.sql.tables import metadata, partial_index, required

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("integration_id", Text, ForeignKey("integrations.id", ondelete="CASCADE")),
    required("account_id", Text, ForeignKey("accounts.id")),
    required("kind", OneOf(RunKind)),
    required("trigger", OneOf(Trigger)),
    required("status", OneOf(RunStatus)),
    Column("outcome", OneOf(Outcome)),
    required("counts", Document(Counts)),
    Column("error", Document(RunError)),
    Column("window_from", Utc),
    Column("window_to", Utc),
    Column("walked_to", Utc),  # of a backfill: everything in its window up to here is stored
    required("dry_run", Boolean),
    Column("estimate", Document(OrderEstimate)),
    required("created_at", Utc),
    Column("started_at", Utc),
    Column("finished_at", Utc),
    required("heartbeat_at", Utc),
    required("cancel_requested", Boolean),
    required("repeats", Integer),
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("rules", Document(UnitRules)),  # that a dry run of stock goes by
    Column("owner", Text),
    Column("slot", Text, nullable=False, server_default=""),  # of a run aside: what makes it differ from others
    # One open run of a kind and slot per integration: the second starter fails here.
    partial_index(
        "uq_runs_open_slot", *("integration_id", "kind", "slot"), where="finished_at IS NULL", unique=True
    ),
    partial_index("ix_runs_queued", "id", where="status = 'queued'"),
    partial_index(
        "ix_runs_asked_for", "tenant", where="finished_at IS NULL AND trigger IN ('manual', 'backfill')"
    ),
    # It ends with what the list is narrowed by, so that a kind or status that is rare is found without the rows.
    Index("ix_runs_feed", "tenant", "id", "kind", "status"),
    Index("ix_runs_of_integration", "tenant", "integration_id", "id"),
    Index("ix_runs_of_kind", "integration_id", "kind", "id"),
    Index("ix_runs_account_id", "account_id"),
    Index("ix_runs_heartbeat_at", "heartbeat_at"),
)

run_calls = Table(
    "run_calls",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    required("at", Utc),
    required("method", Text),
    required("path", Text),
    Column("status", Integer),
    Column("code", Integer),
    required("duration_ms", Integer),
    Column("channel_request_id", Text),
)

# What a dry run found that a push would change.
run_changes = Table(
    "run_changes",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("listing_id", Text, primary_key=True),
    required("sku", Text),
    required("before", Integer),
    required("quantity", Integer),
)

# Downloads at the marketplace of what runs aside are for, by their account and the slot of the run.
order_downloads = Table(
    "order_downloads",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("slot", Text, primary_key=True),
    required("since", Utc),
    required("asked_at", Utc),
    Column("channel_job_id", Text),  # none where there is none to follow
    required("file", Integer),
    required("passed", Integer),
    required("seen", BigInteger),
    Index("ix_order_downloads_asked_at", "asked_at"),
)

# When each job of an integration is due; `next_at` null is never.
schedules = Table(
    "schedules",
    metadata,
    Column("integration_id", Text, ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", OneOf(RunKind), primary_key=True),
    Column("next_at", Utc),
    Column("last_attempt_at", Utc),
    Column("last_success_at", Utc),
    Column("seen_until", Utc),  # of orders: up to when the marketplace has shown us every one
    required("failures", Integer),
    Column("crashes", Integer, nullable=False, server_default="0"),  # processes that died during the job, in a row
    Column("last_error_code", Text),
    Index("ix_schedules_due", "kind", "next_at"),
)

# Chores that one of several processes does, and when each is to be done next.
turns = Table(
    "turns",
    metadata,
    Column("name", Text, primary_key=True),
    required("next_at", Utc),
)
