"""Rows that only jobs make: orders, held orders, listings, runs with calls."""

from dataclasses import dataclass

import httpx
from tests.api.world import World
from tests.factories import a_channel_listing, a_channel_order, an_unreadable_order
from tests.stored import order_rows

from channel_sync.domain.calls import Call
from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Account
from channel_sync.domain.listings import ChannelListing
from channel_sync.domain.orders import ChannelOrder


@dataclass(frozen=True)
class Seeded:
    """Ids of one thing of each kind, named like the path parameters of the contract."""

    integration_id: str
    run_id: str
    order_id: str
    held_id: str
    listing_id: str
    sku: str
    key_id: str
    event_id: str
    channel_order_id: str
    channel_type: str = "wish"


async def account_of(world: World, integration_id: str) -> Account:
    """The merchant account of a connected integration."""
    async with world.database.read() as work:
        integration = await work.integrations.find(integration_id)
        assert integration is not None
        assert integration.account_id is not None
        return await work.accounts.get(integration.account_id)


async def store_orders(world: World, integration_id: str, *orders: ChannelOrder) -> list[str]:
    """Ids of the orders, stored as one page."""
    account = await account_of(world, integration_id)
    async with world.database.begin() as work:
        page = await work.orders.store_rows(account, order_rows(world.database, account, orders, utcnow()))
    return [row.id for row in page.created]


async def hold_order(world: World, integration_id: str, channel_order_id: str) -> str:
    """The id of a held order."""
    account = await account_of(world, integration_id)
    async with world.database.begin() as work:
        held = await work.held_orders.hold(
            account, [an_unreadable_order(channel_order_id=channel_order_id)], utcnow()
        )
    return held[0].id


async def store_listings(world: World, integration_id: str, *listings: ChannelListing) -> list[str]:
    """Ids of all listings of the integration, with these among them."""
    account, now = await account_of(world, integration_id), utcnow()
    async with world.database.begin() as work:
        await work.listings.replace(account.id, listings, now)
    async with world.caller("stock:read", tenant=account.tenant) as caller:
        found = (await caller.get(f"/integrations/{integration_id}/listings?limit=200")).json()
    return [listing["id"] for listing in found["items"]]


async def journal(world: World, run_id: str, *paths: str) -> None:
    """Calls of a run, as if it had made them."""
    calls = [Call(utcnow(), "GET", path, 200, 0, 12, "wish-1") for path in paths]
    async with world.database.begin() as work:
        await work.run_batches.add_calls({run_id: calls})


async def seed(world: World, tenant: str, merchant_id: str) -> Seeded:
    """A tenant with one of everything."""
    async with world.caller(tenant=tenant) as caller:
        integration = await world.connect(caller, merchant_id, name=f"Shop of {tenant}")
        integration_id = integration["id"]
        sku = f"SKU-{tenant}"
        await caller.put("/stock", json={"items": [{"sku": sku, "available": 5}]})
        order_id = (await store_orders(world, integration_id, a_channel_order(channel_order_id=f"o-{tenant}")))[0]
        return Seeded(
            integration_id=integration_id,
            run_id=await _a_run(world, caller, integration_id),
            order_id=order_id,
            held_id=await hold_order(world, integration_id, f"h-{tenant}"),
            listing_id=(await store_listings(world, integration_id, a_channel_listing(sku=sku)))[0],
            sku=sku,
            key_id=(await caller.get("/api-keys")).json()["items"][0]["id"],
            event_id=(await caller.get("/events")).json()["items"][0]["id"],
            channel_order_id=f"o-{tenant}",
        )


async def _a_run(world: World, caller: httpx.AsyncClient, integration_id: str) -> str:
    started = await caller.post(f"/integrations/{integration_id}/runs", json={"kind": "orders"})
    run_id: str = started.json()["id"]
    await journal(world, run_id, "/api/v3/orders")
    return run_id
