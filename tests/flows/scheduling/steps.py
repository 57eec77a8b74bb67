"""Steps of the scheduling tests."""

from datetime import datetime

from tests.factories import NOW, TENANT, a_channel_listing

from channel_sync.domain.integrations import Account, Integration
from channel_sync.domain.listings import ListingStock, StockOutcome
from channel_sync.domain.runs import Run, RunKind
from channel_sync.domain.stock import StockItem
from channel_sync.persistence.database import Database
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.schedules import Schedule
from channel_sync.persistence.sql.paging import PageRequest

Shop = tuple[Integration, Account]


async def make_due(database: Database, shop: Shop, *kinds: RunKind, at: datetime = NOW) -> None:
    async with database.begin() as work:
        for kind in kinds:
            await work.schedules.hurry(shop[0].id, kind, at)


async def schedules_of(database: Database, shop: Shop) -> dict[RunKind, Schedule]:
    async with database.read() as work:
        return dict((await work.schedules.of([shop[0].id]))[shop[0].id])


async def due_at(database: Database, shop: Shop) -> dict[RunKind, datetime | None]:
    """When each job of the shop is due that has a schedule."""
    return {kind: schedule.next_at for kind, schedule in (await schedules_of(database, shop)).items()}


async def runs_of(database: Database, shop: Shop) -> list[Run]:
    """Every run of the shop, the newest first."""
    async with database.read() as work:
        return (await work.runs.list(TENANT, RunQuery(shop[0].id), PageRequest(100))).items


async def wait_for_stock(database: Database, shop: Shop) -> ListingStock:
    """What a new listing of the shop is to be told."""
    offered = a_channel_listing()
    async with database.begin() as work:
        await work.listings.replace(shop[1].id, [offered], NOW, NOW)
        await work.stock.put(TENANT, [StockItem(offered.sku or "", 3)], NOW)
        [(listing, level)] = await work.pushes.stale(shop[1].id, 10)
    return ListingStock(listing.id, listing.variation_id, level.version, 3, (("warehouse-1", 3),))


async def settle_stock(database: Database, shop: Shop) -> str:
    """The id of a new listing of the shop, which was told its stock."""
    told = await wait_for_stock(database, shop)
    async with database.begin() as work:
        await work.pushes.mark_sent([told], NOW)
        await work.pushes.settle([StockOutcome(told.listing_id, told.version, True)], NOW)
    return told.listing_id


async def doubt_stock(database: Database, shop: Shop, at: datetime) -> None:
    """A new listing of the shop that was told its stock, and then by a call without an outcome."""
    listing_id = await settle_stock(database, shop)
    async with database.begin() as work:
        await work.doubts.unanswered("run_lost", [listing_id], at)
