"""Runs handed out and given back. One of ours is the person's who asks for one while it is open."""

import asyncio

import pytest
from tests.flows.goods import an_order
from tests.flows.workshop import Workshop

from channel_sync.domain.runs import RunKind, Trigger


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


@pytest.mark.parametrize("orders", [0, 1])
@pytest.mark.parametrize(
    ("kind", "trigger"),
    [
        (RunKind.ORDERS, Trigger.SCHEDULE),
        (RunKind.ORDERS, Trigger.CATCH_UP),
        (RunKind.RECONCILE, Trigger.RECONCILE),
    ],
)
async def test_a_run_of_ours_that_a_person_asks_for_meanwhile_is_told_as_theirs(
    workshop: Workshop, kind: RunKind, trigger: Trigger, orders: int
):
    seller = await workshop.connect()
    workshop.shop().place(*(an_order(number) for number in range(orders)))
    workshop.channel.delays["orders"] = 0.3
    scheduled = await workshop.queue(seller, kind, trigger=trigger)
    at_work = asyncio.create_task(workshop.runs.execute(scheduled.id))
    await asyncio.sleep(0.1)

    adopted = await workshop.queue(seller, kind)
    await at_work

    assert adopted.id == scheduled.id
    [event] = await workshop.events("run.finished")
    assert (event.members["run_id"], event.members["trigger"]) == (scheduled.id, "manual")
    assert event.members["outcome"] == ("success" if orders else "no_changes")
