"""`POST /orders/held/replay`: all held orders of a kind at once."""

import pytest
from tests.api.seeds import hold_order

pytestmark = pytest.mark.every_store


async def test_all_or_those_of_one_integration_or_reason_are_tried_again(world, admin):
    first = str((await world.connect(admin, "m1"))["id"])
    second = str((await world.connect(admin, "m2", name="Second"))["id"])
    for integration_id, order in ((first, "o1"), (first, "o2"), (second, "o3")):
        await hold_order(world, integration_id, order)
    reason = (await admin.get("/orders/held")).json()["items"][0]["reason"]

    async def queued(**which: str) -> int:
        answer = await admin.post("/orders/held/replay", json=which)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["queued"])

    assert await queued() == 3
    assert await queued(integration_id=first) == 2
    assert await queued(integration_id=second, reason=reason) == 1
    assert await queued(reason="bad_time") == 0


async def test_nobody_has_those_of_others_tried(world, admin):
    mine = str((await world.connect(admin))["id"])
    await hold_order(world, mine, "o1")

    async with world.caller(tenant="other") as stranger:
        nothing = await stranger.post("/orders/held/replay", json={})
        foreign = await stranger.post("/orders/held/replay", json={"integration_id": mine})
    async with world.caller("orders:read") as reader:
        refused = await reader.post("/orders/held/replay", json={})

    assert (nothing.json(), foreign.status_code, refused.status_code) == ({"queued": 0}, 404, 403)
