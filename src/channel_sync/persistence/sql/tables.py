"""Every table but those of trade, of runs and the like (see `trade_tables`, ...), readable top to bottom.

Columns called like a field of a domain value hold that field. Sealed columns are ciphertext (see `encryption`).
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.types import TypeEngine

from channel_sync.domain.brakes import Brake
from channel_sync.domain.channel import Environment
from channel_sync.domain.events import Members
from channel_sync.domain.incidents import IncidentKind
from channel_sync.domain.integrations import Authorisation, IntegrationSettings
from channel_sync.domain.listings import Omitted
from channel_sync.domain.order_filters import OrderFilter
from channel_sync.persistence.sql.column_types import Document, OneOf, Utc

Strings = tuple[str, ...]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def required(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], *more: ForeignKey) -> Column[Any]:
    """A column that is never null."""
    return Column(name, kind, *more, nullable=False)


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows `where` holds for, on both databases."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


# Facts about the database itself: the check value of the encryption key.
meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    required("value", LargeBinary),
)

# The last feed position given out, per tenant. Bumped inside the transaction that writes the rows, so that the
# row's lock makes positions grow in the order of commits.
positions = Table(
    "positions",
    metadata,
    Column("tenant", Text, primary_key=True),
    required("orders", BigInteger),
    required("events", BigInteger),
)

# How long a tenant keeps its buyers' data, and how far into the feed of orders the forgetting has come.
retentions = Table(
    "retentions",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("days", Integer),
    Column("position", BigInteger, nullable=False, server_default="0"),
    Column("orders_erased", BigInteger, nullable=False, server_default="0"),
    Column("held_orders_erased", BigInteger, nullable=False, server_default="0"),
    Column("erased_until", Utc),
)

# A merchant account outlives its integrations: `integration_id` is the last one, which may be purged already
# and so is no foreign key; `attached` tells whether it still owns the account.
accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("channel", Text),
    required("environment", OneOf(Environment)),
    required("merchant_id", Text),
    required("client_id", Text),
    Column("integration_id", Text),
    required("attached", Boolean),
    Column("shop_name", Text),
    Column("order_cursor", Utc),
    Column("listings_at", Utc),
    Column(
        "catalogue_at", Utc
    ),  # when the last whole catalogue was asked for of which every listing could be read
    Column("omitted", OneOf(Omitted)),
    Column("resend_after", Text),  # listings behind this id are still to be told their stock by other rules
    Column("brake", Document(Brake)),  # while it is there no stock is sent
    Column("brake_released_at", Utc),
    Index("uq_accounts_merchant", "tenant", "channel", "environment", "merchant_id", unique=True),
    Index("ix_accounts_app", "channel", "environment", "client_id", "merchant_id"),
    Index("ix_accounts_integration_id", "integration_id"),
)

integrations = Table(
    "integrations",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("channel", Text),
    required("environment", OneOf(Environment)),
    required("name", Text),
    required("name_key", Text),  # the name without its case, for sorting and searching
    required("settings", Document(IntegrationSettings)),
    required("enabled", Boolean),
    Column("default_currency", Text),
    required("orders_from", Utc),
    required("created_at", Utc),
    required("updated_at", Utc),
    required("status_since", Utc),
    Column("draft_expires_at", Utc),
    Column("activated_at", Utc),
    Column("removed_at", Utc),
    Column("pending_until", Utc),
    Column("last_authorisation", Document(Authorisation)),
    Column("rejected_reason", Text),
    Column("paused_reason", Text),
    Column("degraded_reason", Text),
    Column("account_id", Text, ForeignKey("accounts.id")),
    Column("shop_name", Text),
    required("version", Integer),
    # From here on the credentials; only CredentialRepository writes them.
    Column("merchant_id", Text),
    required("client_id", Text),
    Column("client_secret", LargeBinary),  # sealed, as the four tokens below
    required("client_secret_last4", Text),
    required("client_secret_updated_at", Utc),
    Column("platform_app", Boolean, nullable=False, server_default=false()),  # then there is no client secret
    required("scopes", Document(Strings)),
    Column("access_token", LargeBinary),
    Column("access_token_last4", Text),
    Column("access_token_expires_at", Utc),
    Column("refresh_token", LargeBinary),
    Column("refresh_token_last4", Text),
    Column("grant_ends_at", Utc),
    Column("previous_access_token", LargeBinary),  # of earlier builds, as the next; read by none
    Column("previous_refresh_token", LargeBinary),
    required("generation", Integer),
    Column("renewing_owner", Text),  # the lease of a renewal: whose, since when, until when
    Column("renewing_since", Utc),
    Column("renewing_until", Utc),
    Column("renewed_at", Utc),
    Column("retry_at", Utc),
    Column("renewal_failing_since", Utc),
    Column("told_of_end", Utc),  # which end of token or consent others were told of
    Index("ix_integrations_by_name", "tenant", "name_key", "id"),
    Index("ix_integrations_by_created_at", "tenant", "created_at", "id"),
    Index("ix_integrations_account_id", "account_id"),
    partial_index("ix_integrations_draft", "draft_expires_at", where="activated_at IS NULL"),
    partial_index("ix_integrations_drafts_of_tenant", "tenant", where="activated_at IS NULL"),
    partial_index("ix_integrations_removed", "removed_at", where="removed_at IS NOT NULL"),
    partial_index(
        "ix_integrations_expiry", "access_token_expires_at", where="access_token_expires_at IS NOT NULL"
    ),
    partial_index("ix_integrations_renewing", "renewing_until", where="renewing_until IS NOT NULL"),
    partial_index("ix_integrations_retry_at", "retry_at", where="retry_at IS NOT NULL"),
    partial_index("ix_integrations_grant_ends_at", "grant_ends_at", where="grant_ends_at IS NOT NULL"),
)

# What is not in order with an integration although it goes on working; one of a kind is open at a time.
incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("integration_id", Text, ForeignKey("integrations.id", ondelete="CASCADE")),
    required("kind", OneOf(IncidentKind)),
    required("opened_at", Utc),
    Column("closed_at", Utc),
    partial_index("uq_incidents_open", "integration_id", "kind", where="closed_at IS NULL", unique=True),
    Index("ix_incidents_integration_id", "integration_id"),
    partial_index("ix_incidents_ended", "closed_at", where="closed_at IS NOT NULL"),
)

# What several processes may still spend on calls for an integration, in microseconds since 1970 by this database's
# clock: its calls are paid for until `spent_until`, and none is welcome before `paused_until`.
call_budgets = Table(
    "call_budgets",
    metadata,
    Column("integration_id", Text, ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True),
    required("spent_until", BigInteger),
    required("paused_until", BigInteger),
)

events = Table(
    "events",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    required("id", Text),
    required("type", Text),
    Column("integration_id", Text),
    required("created_at", Utc),
    required("members", Document(Members)),
    Index("uq_events_id", "id", unique=True),
    Index("ix_events_created_at", "created_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("name", Text),
    required("scopes", Document(Strings)),
    required("last4", Text),
    required("key_hash", LargeBinary),
    required("created_at", Utc),
    Column("revoked_at", Utc),
    Column("order_filter", Document(OrderFilter)),
    Index("uq_api_keys_key_hash", "key_hash", unique=True),
    Index("ix_api_keys_tenant", "tenant", "id"),
    partial_index("ix_api_keys_in_use", "tenant", where="revoked_at IS NULL"),
)

# One answer per key, kept a day. The body is sealed: it may show a new API key.
idempotency = Table(
    "idempotency",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    required("fingerprint", Text),
    required("created_at", Utc),
    Column("status", Integer),
    Column("headers", Document(dict[str, str])),
    Column("body", LargeBinary),
    Index("ix_idempotency_created_at", "created_at"),
)
