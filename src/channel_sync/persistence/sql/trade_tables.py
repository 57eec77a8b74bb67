"""The tables of trade: orders, listings, stock. Small columns first: reading those then skips the large ones."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
    text,
)

from channel_sync.domain.listings import Mapping, PushState
from channel_sync.domain.orders import OrderState
from channel_sync.domain.stock import UnitRules, WarehouseLevel
from channel_sync.persistence.sql.column_types import Document, MoneyAmount, OneOf, Utc
from channel_sync.persistence.sql.tables import metadata, partial_index, required

Quantities = tuple[tuple[str, int], ...]
WarehouseLevels = tuple[WarehouseLevel, ...]

# Whoever asks for it uses the same words.
IS_TO_SHIP = "orders.state = 'approved' AND orders.ship_by IS NOT NULL"
IS_OPEN = "(orders.state = 'approved' OR orders.state = 'in_review')"
_FILTERED_BY = ("state", "channel_updated_at")

# The two feed indexes end with what the feed filters by, so that a filter is decided without touching the rows.
# `tenant` stands in the others too: SQLite takes the index with the most equalities, and has no better statistics.
# `digest` is of what may change: 12 bytes for the public part and, where there is one, 12 for the personal.
# `account_id` is no foreign key: no account is ever deleted, and whoever stores an order has locked its account.
orders = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("account_id", Text),
    required("channel_order_id", Text),
    Column("transaction_id", Text),
    required("state", OneOf(OrderState)),
    required("state_raw", Text),
    required("channel_updated_at", Utc),
    Column("released_at", Utc),
    Column("ship_by", Utc),
    required("currency", Text),
    required("currency_defaulted", Boolean),
    Column("revenue_amount", MoneyAmount),
    Column("revenue_currency", Text),
    Column("acknowledged_at", Utc),  # of the version that stands here; a newer one is not acknowledged
    Column("acknowledged_version", Integer),  # the newest that ever was
    Column("acknowledged_by", Text),  # the id of the key that `acknowledged_at` came with
    required("stored_at", Utc),
    required("sanitised", Boolean),
    required("erased", Boolean),
    Column("erased_at", Utc),
    required("version", Integer),
    required("position", BigInteger),
    required("digest", LargeBinary),
    required("content", Text),  # JSON of OrderContent
    Column("mapped_skus", Text),  # JSON: SKUs that people mapped variations to while it was open
    Column("address", LargeBinary),  # sealed, as tax and raw: only in rows from before `personal`
    Column("tax", LargeBinary),
    Column("raw", LargeBinary),
    Column("personal", LargeBinary),  # address, tax and raw reply, sealed as one
    Index("uq_orders_of_account", "account_id", "channel_order_id", unique=True),
    Index("ix_orders_feed", "tenant", "position", *_FILTERED_BY),
    Index("ix_orders_account_feed", *("account_id", "tenant", "position"), *_FILTERED_BY, "acknowledged_at"),
    partial_index("ix_orders_unacknowledged", "tenant", "position", where="acknowledged_at IS NULL"),
    partial_index(
        "ix_orders_open",
        *("tenant", "state", "position", "account_id", "channel_updated_at"),
        where=IS_OPEN.replace("orders.", ""),
    ),
    partial_index("ix_orders_to_ship", "tenant", "ship_by", where=IS_TO_SHIP.replace("orders.", "")),
    partial_index(
        "ix_orders_transaction", "tenant", "transaction_id", "position", where="transaction_id IS NOT NULL"
    ),
)

# What an order was before it changed: a row for each version but the one that stands in `orders`.
order_versions = Table(
    "order_versions",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    required("tenant", Text),
    required("state", OneOf(OrderState)),
    required("state_raw", Text),
    required("channel_updated_at", Utc),
    required("stored_at", Utc),
    Column("acknowledged_at", Utc),
    Column("acknowledged_by", Text),
    sqlite_with_rowid=False,
)

# `identity` is the marketplace's order id or, where that is what could not be read, the digest of the reply.
held_orders = Table(
    "held_orders",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("account_id", Text, ForeignKey("accounts.id")),
    required("identity", Text),
    Column("channel_order_id", Text),
    required("reason", Text),
    required("pointer", Text),
    Column("channel_updated_at", Utc),
    Column("channel_request_id", Text),
    required("held_at", Utc),
    required("attempts", Integer),
    required("digest", LargeBinary),
    required("raw", LargeBinary),  # sealed; of nothing once it is erased
    Column("erased", Boolean, nullable=False, server_default=false()),
    Column("tried_with", Text),  # what read it in vain, and for which currency
    Index("uq_held_orders_identity", "account_id", "identity", unique=True),
    Index("ix_held_orders_tenant", "tenant", "id"),
    Index("ix_held_orders_channel_order_id", "tenant", "channel_order_id", "id"),
    # All that the look for untried ones asks for, every few seconds: the column lies behind the reply.
    Index("ix_held_orders_tried", "account_id", "tried_with", "id", "tenant", "erased"),
)

# What the indexes of listings tell apart; whoever asks for it uses the same words.
IS_UNFED = "mapping <> 'mapped'"
IS_CLOSED = "mapping = 'mapped' AND NOT writable"
IS_NOT_WRITABLE = "NOT writable"
IS_BY_HAND = "mapped_sku IS NOT NULL"
IS_EXCLUDED = "excluded"
IS_SKIPPED = f"mapping <> 'mapped' OR NOT writable OR {IS_EXCLUDED}"
IS_MARKED = "push_state IN ('rejected', 'drifted', 'skipped')"
IS_CONTESTED = "drift_count > 3"
IS_UNSETTLED = "(wanted_version > settled_version OR doubted_at IS NOT NULL)"
IS_ON_ITS_WAY = "(wanted_version > settled_version OR doubted_at IS NOT NULL OR push_state = 'sent')"
CEASES = (
    "sent_at IS NOT NULL AND (mapping <> 'mapped' OR NOT writable)"
    " AND (push_state IS NULL OR push_state <> 'skipped')"
)

# `stock_sku` is the SKU whose level feeds the listing: the one mapped by hand, else its own.
# `wanted_version` is that level's version while the listing is mapped, writable and not excluded, else 0; so what
# is still to be sent is `wanted_version > settled_version`, and an index answers it alone. A refused version is
# settled too.
# While a call is under way `call_of` is its run; without an outcome the listing is in doubt from `doubted_at` on.
# Either way it is looked at in the shop at `check_at`, which is written before the call: whoever dies leaves it.
listings = Table(
    "listings",
    metadata,
    Column("id", Text, primary_key=True),
    required("tenant", Text),
    required("account_id", Text, ForeignKey("accounts.id")),
    required("product_id", Text),
    required("variation_id", Text),
    Column("sku", Text),
    Column("mapped_sku", Text),
    Column("stock_sku", Text),
    required("mapping", OneOf(Mapping)),
    required("writable", Boolean),
    required("wanted_version", Integer),
    Column("wanted_at", Utc),
    required("sent_version", Integer),
    Column("sent_quantity", Integer),
    Column("sent_quantities", Document(Quantities)),
    Column("sent_at", Utc),
    required("settled_version", Integer),
    Column("push_state", OneOf(PushState)),
    Column("push_code", Text),
    Column("push_reason", Text),
    Column("settled_at", Utc),
    Column("job_id", Text, ForeignKey("stock_jobs.id")),
    Column("warehouse_id", Text),  # that was told last
    Column("seen_at", Utc),  # when the shop showed `quantities`
    Column("call_of", Text),
    Column("doubted_at", Utc),
    Column("check_at", Utc),
    Column("differs_since", Utc),  # since when the shop shows other units than were confirmed
    Column("left_quantities", Document(Quantities)),  # of what was told, after sales that stored orders explain
    Column("left_at", Utc),
    Column("drift_count", Integer, nullable=False, server_default=text("0")),  # see `Suspect`
    Column("drifted_at", Utc),
    Column("excluded", Boolean, nullable=False, server_default=false()),  # by a person: nothing is sent to it
    Column("rules", Document(UnitRules)),  # its own, which go before those of its SKU
    required("quantities", Document(Quantities)),
    Column("title", Text),
    Column("image_url", Text),
    Index("uq_listings_variation", "account_id", "variation_id", unique=True),
    Index("ix_listings_of_account", "account_id", "tenant", "id"),
    # Not by account first, like the others: PostgreSQL would take it for them while a table is small.
    Index("ix_listings_of_product", "product_id", "account_id"),
    Index("ix_listings_by_sku", "tenant", "stock_sku"),
    partial_index("ix_listings_by_hand", "account_id", "sku", where=IS_BY_HAND),
    Index("ix_listings_job_id", "job_id"),
    partial_index("ix_listings_differing", "account_id", "id", where="differs_since IS NOT NULL"),
    partial_index("ix_listings_contested", "account_id", "drifted_at", where=IS_CONTESTED),
    partial_index("ix_listings_checks", "account_id", "check_at", where="check_at IS NOT NULL"),
    # Whom a SKU may feed by itself, and whom of them it feeds.
    partial_index(
        "ix_listings_rivals",
        *("account_id", "stock_sku", "mapping", "id"),
        where="mapped_sku IS NULL AND writable AND mapping <> 'gone'",
    ),
    partial_index(
        "ix_listings_pending",
        *("account_id", "wanted_at", "id", "wanted_version", "settled_version"),
        where="wanted_version > settled_version",
    ),
    # What is not as it should be: counted by shop, listed by SKU.
    partial_index("ix_listings_unfed", "account_id", "mapping", "id", where=IS_UNFED),
    partial_index("ix_listings_closed", "account_id", "mapping", where=IS_NOT_WRITABLE),
    partial_index("ix_listings_not_writable", "account_id", "tenant", "id", where=IS_NOT_WRITABLE),
    partial_index("ix_listings_excluded", "account_id", "tenant", "id", where=IS_EXCLUDED),
    partial_index("ix_listings_marked", "account_id", "push_state", "mapping", where=IS_MARKED),
    partial_index("ix_listings_marked_in_turn", "account_id", "tenant", "push_state", "id", where=IS_MARKED),
    partial_index("ix_listings_ceasing", "account_id", "id", where=CEASES),
    # Of builds from before: those that are on their way are found by the next one.
    partial_index("ix_listings_unsettled_by_sku", "tenant", "stock_sku", where=IS_UNSETTLED),
    partial_index("ix_listings_on_their_way_by_sku", "tenant", "stock_sku", where=IS_ON_ITS_WAY),
    partial_index("ix_listings_marked_by_sku", "tenant", "push_state", "stock_sku", where=IS_MARKED),
    partial_index("ix_listings_skipped_by_sku", "tenant", "stock_sku", where=IS_SKIPPED),
)

stock_levels = Table(
    "stock_levels",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("sku", Text, primary_key=True),
    required("available", Integer),
    required("version", Integer),
    Column("revision", BigInteger),
    required("updated_at", Utc),
    Column("warehouses", Document(WarehouseLevels)),  # where it is given by warehouse; `available` is their sum
    Column("reserved", Integer, nullable=False, server_default="0"),  # the sum of its settled reservations
)

# Units of an order's line that no level counts yet. Settled, they are part of what is held back of the level of
# `sku`, which until then is the line's own. They were sold at `sold_by` or before.
reservations = Table(
    "reservations",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    required("tenant", Text),
    required("account_id", Text),
    Column("variation_id", Text),
    Column("sku", Text),
    required("units", Integer),
    required("sold_by", Utc),
    required("stored_at", Utc),
    required("settled", Boolean),
    Index("ix_reservations_by_sku", "tenant", "sku"),
    partial_index("ix_reservations_unsettled", "tenant", where="NOT settled"),
    sqlite_with_rowid=False,
)

# What a SKU has of the settings for itself, in every shop; it may have no level yet.
sku_rules = Table(
    "sku_rules",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("sku", Text, primary_key=True),
    required("rules", Document(UnitRules)),
)

# A bulk update at the marketplace that has not been seen to its end; one per account.
stock_jobs = Table(
    "stock_jobs",
    metadata,
    Column("id", Text, primary_key=True),
    required("account_id", Text, ForeignKey("accounts.id")),
    Column("channel_job_id", Text),
    required("submitted_at", Utc),
    Column("polls", Integer, nullable=False, default=0),  # nobody counts them
    Column("closed_at", Utc),
    partial_index("uq_stock_jobs_open", "account_id", where="closed_at IS NULL", unique=True),
)
