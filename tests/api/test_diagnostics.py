"""One answer for a support ticket: what it tells, and what it never does."""

import json
from dataclasses import replace

import pytest
from tests.api.seeds import account_of, hold_order, journal, store_orders
from tests.factories import a_channel_order, a_run

from channel_sync.domain.clock import utcnow
from channel_sync.domain.runs import Counts, Outcome, RunError, RunStatus

pytestmark = pytest.mark.every_store

WORDS = "Some words of theirs about Ada Example."
SECRETS = ("Ada Example", "a-secret-of-the-app", "Mugs", "client-1", "cret", "last4", "Shop", WORDS)


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def ran(world, integration_id, number, outcome, error=None):
    """The id of a run that ended, the later the higher its number."""
    account = await account_of(world, integration_id)
    async with world.database.begin() as work:
        integration = await work.integrations.get("acme", integration_id)
        run = replace(a_run(integration, account), id=f"run_{number:026}")
        await work.runs.open(run)
        await work.runs.finish(run.id, RunStatus.FINISHED, outcome, Counts(), error, utcnow())
    return run.id


async def test_one_call_tells_status_runs_errors_calls_and_backlog(world, admin, integration_id):
    await hold_order(world, integration_id, "H")
    error = RunError("1001", "channel_outage", "channel", True, WORDS)
    failed = await ran(world, integration_id, 1, Outcome.FAILED, error)
    done = await ran(world, integration_id, 2, Outcome.SUCCESS)
    await journal(world, failed, "/api/v3/orders", "/api/v3/orders/o1")
    await journal(world, done, "/api/v3/merchant")

    told = (await admin.get(f"/integrations/{integration_id}/diagnostics")).json()

    assert (told["id"], told["status"], told["auth_state"]) == (integration_id, "active", "connected")
    assert (told["counts"]["held"], told["freshness"]["stock_pending"]) == (1, 0)
    assert [run["id"] for run in told["runs"]][-2:] == [done, failed]
    assert [(run["id"], run["error"]["code"]) for run in told["failures"]] == [(failed, "1001")]
    calls = [(call["run_id"], call["path"]) for call in told["calls"]]
    assert calls == [(done, "/api/v3/merchant"), (failed, "/api/v3/orders/o1"), (failed, "/api/v3/orders")]
    assert {"kind", "next_at", "seen_until", "last_error_code"} <= told["jobs"][0].keys()


async def test_nothing_in_it_is_secret_personal_or_somebodys_words(world, admin, integration_id):
    order = a_channel_order()
    await store_orders(world, integration_id, order)
    await ran(world, integration_id, 1, Outcome.FAILED, RunError("1001", "data", "channel", False, WORDS))
    await admin.get(f"/integrations/{integration_id}/orders/{order.channel_order_id}/explain")

    told = json.dumps((await admin.get(f"/integrations/{integration_id}/diagnostics")).json())

    assert not [word for word in SECRETS if word in told]


async def test_as_many_of_the_newest_are_told_as_fit_a_ticket(world, admin, integration_id):
    error = RunError("timeout", "network", "channel", True, "No answer.")
    runs = [await ran(world, integration_id, number, Outcome.FAILED, error) for number in range(1, 15)]
    for run_id in runs:
        await journal(world, run_id, *("/api/v3/orders" for _ in range(9)))

    told = (await admin.get(f"/integrations/{integration_id}/diagnostics")).json()

    assert (len(told["runs"]), len(told["failures"]), len(told["calls"])) == (10, 5, 25)
    assert told["failures"][0]["id"] == runs[-1]


async def test_it_needs_no_more_than_to_read_the_integration(world, admin, integration_id):
    place = f"/integrations/{integration_id}/diagnostics"
    async with world.caller("integrations:read") as support, world.caller("runs:read") as other:
        assert (await support.get(place)).status_code == 200
        assert (await other.get(place)).status_code == 403
    async with world.caller(tenant="rival") as rival:
        assert (await rival.get(place)).status_code == 404
    await admin.delete(f"/integrations/{integration_id}", params={"confirm": "Mugs"})
    assert (await admin.get(place)).json()["status"] == "removed"
