"""How far behind an integration says that it is."""

from datetime import timedelta

import pytest

from channel_sync.domain.clock import utcnow
from channel_sync.domain.runs import RunKind
from channel_sync.persistence.schedules import Plan

pytestmark = pytest.mark.every_store


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def seen(world, integration_id: str, ago_s: float) -> None:
    """The orders were last seen to their end so long ago; a run succeeded just now."""
    plan = Plan(integration_id, RunKind.ORDERS, utcnow(), seen_until=utcnow() - timedelta(seconds=ago_s))
    async with world.database.begin() as work:
        await work.schedules.succeeded(plan, utcnow())


async def test_the_lag_of_orders_is_the_age_of_what_may_be_missing(world, admin, integration_id):
    await seen(world, integration_id, ago_s=5400)
    await admin.put(f"/integrations/{integration_id}/status", json={"enabled": False})

    shown = (await admin.get(f"/integrations/{integration_id}")).json()["freshness"]["order_lag_s"]
    [listed] = (await admin.get("/integrations")).json()["items"]
    status = (await admin.get(f"/integrations/{integration_id}/status")).json()["jobs"]

    lags = (shown, listed["freshness"]["order_lag_s"], status["orders"]["lag_s"])
    assert all(5400 <= lag < 5460 for lag in lags)
    assert status["stock"]["lag_s"] == 0


async def test_before_the_first_look_everything_since_the_first_day_may_be_missing(admin, integration_id):
    lag = (await admin.get(f"/integrations/{integration_id}")).json()["freshness"]["order_lag_s"]

    assert timedelta(days=30).total_seconds() <= lag < timedelta(days=30, minutes=5).total_seconds()
