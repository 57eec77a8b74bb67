"""The tables of connecting: who is on the way to a marketplace, and grants that wait for a person or a tenant."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, false

from channel_sync.domain.channel import Environment
from channel_sync.domain.integrations import AttemptKind
from channel_sync.persistence.sql.column_types import OneOf, Utc
from channel_sync.persistence.sql.tables import metadata, required

# One walk of a browser to the marketplace and back. Only hashes of what the browser holds.
attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("integration_id", Text, ForeignKey("integrations.id", ondelete="CASCADE")),
    required("kind", OneOf(AttemptKind)),
    required("ticket_hash", Text),
    Column("state_hash", Text),
    Column("cookie_hash", Text),
    Column("code_verifier", LargeBinary),  # sealed; wiped with the secret when the attempt ends
    Column("client_id", Text),
    Column("client_secret", LargeBinary),  # sealed
    Column("platform_app", Boolean, nullable=False, server_default=false()),
    Column("return_url", Text),
    required("created_at", Utc),
    required("expires_at", Utc),
    Column("continued_at", Utc),
    Column("consumed_at", Utc),
    Column("result", Text),
    Column("codes_tried", Integer, nullable=False, server_default="0"),  # of those that came without a state
    Index("uq_attempts_ticket_hash", "ticket_hash", unique=True),
    Index("uq_attempts_cookie_hash", "cookie_hash", unique=True),
    Index("ix_attempts_integration_id", "integration_id"),
    Index("ix_attempts_expires_at", "expires_at"),
)

# What came back without a state to say which attempt it belongs to: each code once, and what it was good for. The
# grant waits here until a person says that it is the right one, and is wiped when the attempt is over.
callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("attempt_id", Text, ForeignKey("attempts.id", ondelete="CASCADE")),
    required("code_hash", Text),
    required("created_at", Utc),
    Column("error", Text),
    Column("merchant_id", Text),
    Column("shop_name", Text),
    Column("warehouse_id", Text),
    Column("kept_grant", LargeBinary),  # sealed
    Column("integration_id", Text),  # who got the grant
    Index("uq_callbacks_code_hash", "code_hash", unique=True),
    Index("ix_callbacks_attempt_id", "attempt_id"),
)

# Shops that were added in the marketplace's own store, each code once. The grant waits here for the tenant that
# can show the claim; until then the row is nobody's.
claims = Table(
    "claims",
    metadata,
    Column("id", Text, primary_key=True),
    required("channel", Text),
    required("environment", OneOf(Environment)),
    required("client_id", Text),
    Column("tenant", Text),
    required("code_hash", Text),
    Column("claim_hash", Text),
    required("created_at", Utc),
    required("expires_at", Utc),
    Column("error", Text),
    Column("merchant_id", Text),
    Column("shop_name", Text),
    Column("warehouse_id", Text),
    Column("kept_grant", LargeBinary),  # sealed
    Column("integration_id", Text),  # who has the grant
    Index("uq_claims_code_hash", "code_hash", unique=True),
    Index("uq_claims_claim_hash", "claim_hash", unique=True),
    Index("ix_claims_expires_at", "expires_at"),
)
