"""The tables of dispatch: what marketplaces are asked to do with orders, how far that is, and who carries them."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from channel_sync.domain.channel import Environment
from channel_sync.domain.order_changes import ChangeStage
from channel_sync.domain.order_progress import ChangeKind
from channel_sync.persistence.sql.column_types import Document, OneOf, Utc
from channel_sync.persistence.sql.tables import metadata, partial_index, required

# What is not settled is gone on with at `next_at`. While a call is under way `call_of` is its run, written down
# before: whoever dies in it leaves the note.
order_changes = Table(
    "order_changes",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("account_id", Text, ForeignKey("accounts.id")),
    required("order_id", Text, ForeignKey("orders.id")),
    required("channel_order_id", Text),
    required("kind", OneOf(ChangeKind)),
    required("stage", OneOf(ChangeStage)),
    Column("carrier", Text),
    Column("tracking_number", Text),
    Column("origin_country", Text),
    Column("cause", Text),
    required("requested_at", Utc),
    Column("sent_at", Utc),
    Column("doubted_at", Utc),
    Column("settled_at", Utc),
    Column("next_at", Utc),
    Column("call_of", Text),
    Column("code", Text),
    Column("reason", Text),
    Index("ix_order_changes_of_order", "order_id", "id"),
    partial_index("ix_order_changes_due", "account_id", "next_at", where="next_at IS NOT NULL"),
    partial_index("ix_order_changes_calls", "account_id", where="call_of IS NOT NULL"),
)

# The marketplace's own names, the same for every tenant. Without a country they are all that there are.
carrier_lists = Table(
    "carrier_lists",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("environment", OneOf(Environment), primary_key=True),
    Column("country", Text, primary_key=True),
    required("names", Document(tuple[str, ...])),
    required("read_at", Utc),
)

carrier_aliases = Table(
    "carrier_aliases",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("key", Text, primary_key=True),  # the alias as it is compared
    required("alias", Text),
    required("carrier", Text),
)

# How long before the time to ship an order by its tenant is told; without a row the usual time counts.
ship_by_notices = Table(
    "ship_by_notices",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("hours", Integer),
)

# The time to ship it by that was told of an order; another one is told again.
ship_by_told = Table(
    "ship_by_told",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True),
    required("tenant", Text),
    required("ship_by", Utc),
    Index("ix_ship_by_told_ship_by", "ship_by"),
)
