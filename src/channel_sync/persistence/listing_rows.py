"""A listing as a row, and the statements that decide its mapping and what it should be told."""

from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Update, and_, case, func, literal, or_, select, update

from channel_sync.domain.listings import ChannelListing, Listing, Mapping
from channel_sync.persistence.bulk import BulkInsert, overwrite
from channel_sync.persistence.column_types import Utc
from channel_sync.persistence.session import Values
from channel_sync.persistence.tables import accounts
from channel_sync.persistence.trade_tables import listings, stock_levels

_row = listings.c

READ = [
    accounts.c.integration_id if field.name == "integration_id" else listings.c[field.name]
    for field in fields(Listing)
]

_CONTENT = ("product_id", "sku", "title", "image_url", "writable", "quantities", "stock_sku", "mapping")
UPSERT = BulkInsert(
    listings,
    (
        *("id", "tenant", "account_id", "variation_id"),
        *("wanted_version", "sent_version", "settled_version"),
        *_CONTENT,
    ),
    f"ON CONFLICT (account_id, variation_id) DO UPDATE SET {overwrite(_CONTENT)}",
)

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
}


def values(
    place: tuple[str, str, str], listing: ChannelListing, stock_sku: str | None, mapping: Mapping
) -> Values:
    """The listing's row for `UPSERT`; `place` is its id, tenant and account."""
    content = (
        listing.product_id,
        listing.sku,
        listing.title,
        listing.image_url,
        listing.writable,
        msgspec.json.encode(listing.quantities).decode(),
        stock_sku,
        mapping.value,
    )
    return (*place, listing.variation_id, 0, 0, 0, *content)


def read(tenant: str) -> Select[*tuple[Any, ...]]:
    """Listings of a tenant."""
    joined = select(*READ).join_from(listings, accounts, accounts.c.id == _row.account_id)
    return joined.where(_row.tenant == tenant)


def want_anew(now: datetime, *which: ColumnElement[bool]) -> Update:
    """Write the stock version that each of these listings should be told, where it is another now."""
    version = (
        select(stock_levels.c.version)
        .where(stock_levels.c.tenant == _row.tenant, stock_levels.c.sku == _row.stock_sku)
        .scalar_subquery()
    )
    told = and_(_row.mapping == Mapping.MAPPED, _row.writable)
    wanted = case((told, func.coalesce(version, 0)), else_=0)
    # What waits already has waited since then.
    since = case((_row.wanted_version > _row.settled_version, _row.wanted_at), else_=literal(now, Utc()))
    changed = update(listings).where(*which, _row.wanted_version != wanted)
    return changed.values(wanted_version=wanted, wanted_at=since)


def is_pending() -> ColumnElement[bool]:
    """Whether the listing lacks the newest level of its SKU."""
    return _row.wanted_version > _row.settled_version


def not_in(job_ids: Select[*tuple[Any, ...]]) -> ColumnElement[bool]:
    """Whether the listing is part of none of these jobs."""
    return or_(_row.job_id.is_(None), _row.job_id.not_in(job_ids))


def effective_sku(mapped_sku: str | None, sku: str | None) -> str | None:
    """The SKU whose level feeds a listing; a blank one is none."""
    return mapped_sku or sku or None
