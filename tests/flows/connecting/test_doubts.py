"""Grants that are looked into beside a request."""

import asyncio

from tests.connecting import Desk

from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.integrations import Status
from channel_sync.flows.connecting.second_consents import ShopOfApp

SHOP = ShopOfApp("wish", Environment.PRODUCTION, "app1", "m1")


async def test_an_outage_leaves_it_to_the_next_run(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.break_down("merchant_id", ChannelUnavailable("server_error", "Down."))

    desk.doubts.look_into(SHOP)
    await desk.doubts.finish()

    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_only_that_shop_by_that_app_is_asked_about(database):
    desk = Desk(database)
    await desk.active("m1")
    await desk.active("m2")
    await desk.doubts.finish()
    asked = desk.channel.calls["merchant_id"]

    desk.doubts.look_into(SHOP)
    desk.doubts.look_into(ShopOfApp("wish", Environment.PRODUCTION, "app2", "m1"))
    desk.doubts.look_into(ShopOfApp("wish", Environment.SANDBOX, "app1", "m1"))
    await desk.doubts.finish()

    assert desk.channel.calls["merchant_id"] == asked + 1


async def test_a_process_that_stops_waits_for_no_doubt_but_for_the_renewal_it_began(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.revoke_access("m1")
    gate = desk.channel.hold("renew")
    desk.doubts.look_into(SHOP)
    await gate.reached.wait()

    await asyncio.wait_for(desk.doubts.stop(), 1)
    gate.open.set()
    await desk.grants.finish(5)

    assert (await desk.read(integration.id)).generation == integration.generation + 1
