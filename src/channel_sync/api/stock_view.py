"""A stock level as the API shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from channel_sync.api.http.fields import optional_timestamp, timestamp
from channel_sync.api.stock_schemas import (
    AtChannelView,
    ListingStockView,
    ReckoningView,
    StockLevelView,
    UnitRulesView,
)
from channel_sync.domain.channel import Channel
from channel_sync.domain.incidents import Incident
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Listing
from channel_sync.domain.push_states import hindrance, push_state, reason, why
from channel_sync.domain.stock import Reckoning, StockLevel, UnitRules
from channel_sync.flows.stock.rules import arithmetic_of
from channel_sync.persistence.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class _Circumstances:
    """The integrations of some listings, what is not in order with them, and the rules of the listings' SKUs."""

    channels: Mapping[str, Channel]
    integrations: Mapping[str, Integration]
    incidents: Mapping[str, Sequence[Incident]]
    rules: Mapping[str, UnitRules]


async def level_views(
    work: UnitOfWork, channels: Mapping[str, Channel], tenant: str, levels: Sequence[StockLevel]
) -> list[StockLevelView]:
    """The levels with their listings, read at once."""
    listings = await work.listings.by_skus(tenant, [level.sku for level in levels])
    integration_ids = {listing.integration_id for fed in listings.values() for listing in fed}
    around = _Circumstances(
        channels,
        await work.integrations.find_all(list(integration_ids)),
        await work.incidents.open_of(integration_ids),
        await work.stock_rules.of_skus(tenant, [level.sku for level in levels]),
    )
    return [_level_view(level, listings.get(level.sku, []), around) for level in levels]


def _level_view(level: StockLevel, listings: Sequence[Listing], around: _Circumstances) -> StockLevelView:
    missing = None if listings else reason("no_listing")
    return {
        "sku": level.sku,
        "available": level.available,
        "reserved": level.reserved,
        "version": level.version,
        "revision": level.revision,
        "updated_at": timestamp(level.updated_at),
        "warehouses": [
            {"warehouse": one.warehouse, "available": one.available, "revision": one.revision}
            for one in level.warehouses or ()
        ],
        "rules": rules_view(around.rules.get(level.sku)),
        "code": missing and missing.code,
        "reason": missing and missing.words,
        "listings": [_listing_view(listing, level, around) for listing in listings],
    }


def _listing_view(listing: Listing, level: StockLevel, around: _Circumstances) -> ListingStockView:
    integration = around.integrations.get(listing.integration_id)
    state = push_state(listing, level.version)
    incidents = [incident.kind for incident in around.incidents.get(listing.integration_id, ())]
    hindered_by = hindrance(integration, incidents)
    told = why(listing, state, hindered_by)
    return {
        "listing_id": listing.id,
        "integration_id": listing.integration_id,
        "state": state,
        "code": told.code,
        "reason": told.words,
        "quantity": listing.sent_quantity,
        "warehouse_id": listing.warehouse_id,
        "sent_at": optional_timestamp(listing.sent_at),
        "settled_at": optional_timestamp(listing.settled_at),
        "at_channel": _at_channel(listing),
        "reckoning": _reckoning(listing, level, around) if listing.is_fed else None,
    }


def _at_channel(listing: Listing) -> AtChannelView | None:
    units, seen_at = listing.units_seen, listing.last_seen_at
    return None if units is None or seen_at is None else {"quantity": units, "seen_at": timestamp(seen_at)}


def _reckoning(listing: Listing, level: StockLevel, around: _Circumstances) -> ReckoningView | None:
    integration = around.integrations.get(listing.integration_id)
    if integration is None:
        return None
    by = arithmetic_of(integration, around.channels)
    return reckoning_view(by.reckoned(level, listing.sku_rules, listing.rules))


def reckoning_view(steps: Reckoning) -> ReckoningView:
    """The way from a level to units."""
    return {
        "available": steps.available,
        "reserved": steps.reserved,
        "buffer": steps.buffer,
        "percent": steps.percent,
        "end_when": steps.end_when,
        "maximum": steps.maximum,
        "quantity": steps.quantity,
        "text": steps.words,
    }


def rules_view(rules: UnitRules | None) -> UnitRulesView:
    """Rules of a SKU or a listing, all null where it has none."""
    own = rules or UnitRules()
    return {"buffer": own.buffer, "percent": own.percent, "end_when": own.end_when, "maximum": own.maximum}
