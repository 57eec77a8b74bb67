"""What the policy of an integration makes of units that somebody else changed."""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Connection, text
from tests.flows.stock_steps import drifts, let_orders_come, listing_of, look, push, set_by_hand, state_of, told
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.integrations import Integration, IntegrationSettings
from channel_sync.domain.listings import PushState
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import DriftPolicy, StockSettings

DAY = 24 * 3600 * 1_000_000


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def with_policy(workshop: Workshop, seller: Integration, policy: DriftPolicy, **stock) -> None:
    async with workshop.database.begin() as work:
        now = await work.integrations.get(TENANT, seller.id)
        settings = IntegrationSettings(stock=StockSettings(warehouse_id="wh1", drift=policy, **stock))
        await work.integrations.save(replace(now, settings=settings))


async def overwritten(workshop: Workshop, seller: Integration, units: int = 40) -> int:
    """What the shop shows after somebody else wrote to it, the catalogue was read and what waits was sent."""
    set_by_hand(workshop, units)
    await look(workshop, seller)
    await workshop.due(seller, RunKind.STOCK)
    return workshop.shop().units("var-1")["wh1"]


async def actions(workshop: Workshop) -> list[object]:
    return [members["action"] for members in await drifts(workshop)]


async def incidents(workshop: Workshop, seller: Integration) -> list[str]:
    async with workshop.database.read() as work:
        found = (await work.incidents.open_of([seller.id])).get(seller.id, [])
    return [incident.kind.value for incident in found]


async def test_where_it_is_wanted_a_drift_is_told_and_put_right(workshop: Workshop):
    seller = await told(workshop, 7)
    await with_policy(workshop, seller, DriftPolicy.CORRECT)

    assert await overwritten(workshop, seller) == 7

    assert await actions(workshop) == ["corrected"]
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_what_is_put_right_is_the_newest_level(workshop: Workshop):
    seller = await told(workshop, 7)
    await with_policy(workshop, seller, DriftPolicy.CORRECT)
    set_by_hand(workshop, 40)
    await look(workshop, seller)
    await workshop.put(("sku-1", 6))

    await push(workshop, seller)

    assert workshop.shop().units("var-1")["wh1"] == 6


async def test_units_that_were_taken_away_are_put_back_once_no_order_can_explain_them(workshop: Workshop):
    seller = await told(workshop, 7)
    await with_policy(workshop, seller, DriftPolicy.CORRECT)
    assert await overwritten(workshop, seller, 2) == 2

    await let_orders_come(workshop, seller)
    await look(workshop, seller)
    await workshop.due(seller, RunKind.STOCK)

    assert workshop.shop().units("var-1") == {"wh1": 7}


async def test_after_three_times_it_is_left_and_the_integration_says_who_keeps_writing(
    workshop: Workshop,
):
    seller = await told(workshop, 7)
    await with_policy(workshop, seller, DriftPolicy.CORRECT)

    shown = [await overwritten(workshop, seller) for _ in range(5)]

    assert shown == [7, 7, 7, 40, 40]
    assert await actions(workshop) == ["corrected"] * 3 + ["given_up"]
    assert await state_of(workshop, "sku-1") is PushState.DRIFTED
    assert await incidents(workshop, seller) == ["stock_contested"]

    await overwritten(workshop, seller, 7)
    listing = await listing_of(workshop, "sku-1")
    assert (listing.push_state, listing.push_code) == (PushState.CONFIRMED, None)


async def test_a_new_level_is_sent_and_not_fought_for_either(workshop: Workshop):
    seller = await told(workshop, 7)
    await with_policy(workshop, seller, DriftPolicy.CORRECT)
    for _ in range(4):
        await overwritten(workshop, seller)
    await workshop.put(("sku-1", 3))
    await push(workshop, seller)
    assert workshop.shop().units("var-1")["wh1"] == 3

    assert await overwritten(workshop, seller) == 40

    assert await actions(workshop) == ["corrected"] * 3 + ["given_up"] * 2
    assert await incidents(workshop, seller) == ["stock_contested"]


async def test_a_person_who_sends_it_again_begins_anew(workshop: Workshop):
    seller = await told(workshop, 7)
    await with_policy(workshop, seller, DriftPolicy.CORRECT)
    for _ in range(4):
        await overwritten(workshop, seller)

    assert await workshop.put_stock.retry(TENANT, seller.id, PushState.DRIFTED) == 1
    await push(workshop, seller)
    await look(workshop, seller)

    assert await incidents(workshop, seller) == []
    assert await overwritten(workshop, seller) == 7


async def test_after_a_quiet_week_it_is_put_right_again(workshop: Workshop):
    seller = await told(workshop, 7)
    await with_policy(workshop, seller, DriftPolicy.CORRECT)
    for _ in range(3):
        await overwritten(workshop, seller)
    async with workshop.database.session() as session:
        await session.run(partial(drifted_earlier, 8 * DAY))

    assert await overwritten(workshop, seller) == 7

    assert await actions(workshop) == ["corrected"] * 4


def drifted_earlier(by: int, plain: Connection) -> None:
    plain.execute(text("UPDATE listings SET drifted_at = drifted_at - :by"), {"by": by})
    plain.commit()


async def test_what_was_only_told_of_is_put_right_once_that_is_wanted(workshop: Workshop):
    seller = await told(workshop, 7)
    assert await overwritten(workshop, seller) == 40

    await with_policy(workshop, seller, DriftPolicy.CORRECT)
    await look(workshop, seller)
    await workshop.due(seller, RunKind.STOCK)

    assert workshop.shop().units("var-1") == {"wh1": 7}
    assert await actions(workshop) == ["reported", "corrected"]


async def test_where_it_is_not_wanted_nothing_is_said_until_it_is(workshop: Workshop):
    seller = await told(workshop, 7)
    await with_policy(workshop, seller, DriftPolicy.OFF)
    assert await overwritten(workshop, seller) == 40
    assert await actions(workshop) == []
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED

    await with_policy(workshop, seller, DriftPolicy.REPORT)
    await look(workshop, seller)

    assert await actions(workshop) == ["reported"]


async def test_while_stock_is_switched_off_drifts_are_told_only(workshop: Workshop):
    seller = await told(workshop, 7)
    await with_policy(workshop, seller, DriftPolicy.CORRECT, enabled=False)

    assert await overwritten(workshop, seller) == 40

    assert await actions(workshop) == ["reported"]
    assert await state_of(workshop, "sku-1") is PushState.DRIFTED


async def test_another_policy_sends_nothing_by_itself(workshop: Workshop):
    assert StockSettings(drift=DriftPolicy.CORRECT).sends_as(StockSettings(drift=DriftPolicy.OFF))
