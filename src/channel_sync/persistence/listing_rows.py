"""A listing as a row, and the statements that decide its mapping and what it should be told."""

from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Update, and_, case, func, literal, null, select, update

from channel_sync.domain.listings import ChannelListing, Listing, Mapping, PushState
from channel_sync.persistence.engine.session import Values
from channel_sync.persistence.rows.timestamps import micros
from channel_sync.persistence.sql.bulk import BulkInsert, overwrite
from channel_sync.persistence.sql.column_types import Utc
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import listings, sku_rules, stock_levels

_row = listings.c

# A listing whose turn to be told anew has not come yet; see `accounts.resend_after`.
_TOLD_ANEW = and_(_row.wanted_version > 0, _row.id > accounts.c.resend_after)


def _read(name: str) -> ColumnElement[Any]:
    if name in ("integration_id", "catalogue_at"):
        return accounts.c[name]
    if name == "sku_rules":
        return sku_rules.c.rules
    column = listings.c[name]
    return case((_TOLD_ANEW, 0), else_=column) if name in ("sent_version", "settled_version") else column


READ = [_read(field.name) for field in fields(Listing)]
RULES_OF_SKU = and_(sku_rules.c.tenant == _row.tenant, sku_rules.c.sku == _row.stock_sku)
LEVEL_OF_SKU = and_(stock_levels.c.tenant == _row.tenant, stock_levels.c.sku == _row.stock_sku)
# The members of `Waiting`, of listings joined to both.
WAITING: list[ColumnElement[Any]] = [
    _row.id,
    _row.product_id,
    _row.quantities,
    stock_levels.c.available,
    _row.wanted_at,
    sku_rules.c.rules.label("sku_rules"),
    _row.rules,
    _row.sent_quantity,
    _row.warehouse_id,
    _row.settled_at,
    _row.seen_at,
    stock_levels.c.warehouses,
    _row.sent_quantities,
    stock_levels.c.reserved,
]

_CONTENT = ("product_id", "sku", "title", "image_url", "writable", "stock_sku", "mapping")
_SEEN = ("quantities", "seen_at")
# What a call shows that is under way, or in doubt, is nobody's but its own to say.
_IS_FRESHER = (
    "(listings.seen_at IS NULL OR listings.seen_at <= excluded.seen_at)"
    " AND listings.call_of IS NULL AND listings.doubted_at IS NULL"
)
_IF_FRESHER = ", ".join(
    f"{column} = CASE WHEN {_IS_FRESHER} THEN excluded.{column} ELSE listings.{column} END" for column in _SEEN
)
UPSERT = BulkInsert(
    listings,
    (
        *("id", "tenant", "account_id", "variation_id"),
        *("wanted_version", "sent_version", "settled_version"),
        *_CONTENT,
        *_SEEN,
    ),
    f"ON CONFLICT (account_id, variation_id) DO UPDATE SET {overwrite(_CONTENT)}, {_IF_FRESHER}",
)

# What a listing has of its last push when it is to be told the same level again.
AGAIN: dict[str, Any] = {"sent_version": 0, "settled_version": 0, "push_state": None, "differs_since": None}

# What a listing has of its pushes before the first one.
NEVER_PUSHED: dict[str, Any] = {
    "wanted_version": 0,
    "wanted_at": None,
    "sent_version": 0,
    "settled_version": 0,
    "push_state": None,
    "push_code": None,
    "push_reason": None,
    "job_id": None,
    "differs_since": None,
}


def values(
    place: tuple[str, str, str],
    listing: ChannelListing,
    seen_at: datetime,
    stock_sku: str | None,
    mapping: Mapping,
) -> Values:
    """The listing's row for `UPSERT`, as it was seen at a moment; `place` is its id, tenant and account."""
    content = (
        listing.product_id,
        listing.sku,
        listing.title,
        listing.image_url,
        listing.writable,
        stock_sku,
        mapping.value,
        msgspec.json.encode(listing.quantities).decode(),
        micros(seen_at),
    )
    return (*place, listing.variation_id, 0, 0, 0, *content)


def read(tenant: str) -> Select[*tuple[Any, ...]]:
    """Listings of a tenant."""
    joined = select(*READ).join_from(listings, accounts, accounts.c.id == _row.account_id)
    return joined.outerjoin(sku_rules, RULES_OF_SKU).where(_row.tenant == tenant)


def want_anew(now: datetime, *which: ColumnElement[bool]) -> Update:
    """Write the stock version that each of these listings should be told, where it is another now."""
    version = select(stock_levels.c.version).where(LEVEL_OF_SKU).scalar_subquery()
    told = and_(_row.mapping == Mapping.MAPPED, _row.writable, ~_row.excluded)
    wanted = case((told, func.coalesce(version, 0)), else_=0)
    # What waits already has waited since then.
    since = case((_row.wanted_version > _row.settled_version, _row.wanted_at), else_=literal(now, Utc()))
    # What was refused, or differs, was an older level.
    state = case((_row.push_state.in_([PushState.REJECTED, PushState.DRIFTED]), null()), else_=_row.push_state)
    changed = update(listings).where(*which, _row.wanted_version != wanted)
    return changed.values(wanted_version=wanted, wanted_at=since, push_state=state, differs_since=None)


def is_pending() -> ColumnElement[bool]:
    """Whether the listing lacks the newest level of its SKU."""
    return _row.wanted_version > _row.settled_version


def effective_sku(mapped_sku: str | None, sku: str | None) -> str | None:
    """The SKU whose level feeds a listing; a blank one is none."""
    return mapped_sku or sku or None
