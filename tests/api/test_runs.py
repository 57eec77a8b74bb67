from datetime import UTC, datetime

import pytest
from tests.api.seeds import journal

from channel_sync.domain.runs import OPEN_ASIDE, Counts, Outcome, RunError, RunStatus


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def test_a_run_is_queued_and_found_at_its_location(admin, integration_id):
    answer = await admin.post(f"/integrations/{integration_id}/runs", json={"kind": "orders"})
    run = answer.json()
    assert (answer.status_code, run["deduplicated"]) == (202, False)
    assert (run["status"], run["trigger"]) == ("queued", "manual")
    found = (await admin.get(answer.headers["location"])).json()
    assert found == {key: value for key, value in run.items() if key != "deduplicated"}


async def test_a_second_run_of_the_kind_is_the_first_one(admin, integration_id):
    href = f"/integrations/{integration_id}/runs"
    first = (await admin.post(href, json={"kind": "orders"})).json()
    again = await admin.post(href, json={"kind": "orders"})
    assert (again.status_code, again.json()["id"], again.json()["deduplicated"]) == (200, first["id"], True)
    assert (await admin.post(href, json={"kind": "stock"})).status_code == 202


async def test_a_window_makes_a_backfill(admin, integration_id):
    window = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T01:00:00+01:00"}
    run = (await admin.post(f"/integrations/{integration_id}/runs", json={"kind": "orders", **window})).json()
    assert run["trigger"] == "backfill"
    assert run["window_from"] == "2026-01-01T00:00:00.000Z"
    assert run["window_to"] == "2026-02-01T00:00:00.000Z"


async def test_a_backfill_goes_beside_the_order_run_and_is_the_same_only_as_its_own_window(admin, integration_id):
    href, window = f"/integrations/{integration_id}/runs", {"kind": "orders", "from": "2026-01-01T00:00:00Z"}
    ordinary = (await admin.post(href, json={"kind": "orders"})).json()
    first = await admin.post(href, json=window)
    again = await admin.post(href, json=window)
    dry = await admin.post(href, json={"kind": "orders", "dry_run": True})
    assert [answer.status_code for answer in (first, again, dry)] == [202, 200, 202]
    assert (again.json()["id"], again.json()["deduplicated"]) == (first.json()["id"], True)
    assert len({ordinary["id"], first.json()["id"], dry.json()["id"]}) == 3


async def test_more_backfills_at_once_than_an_integration_bears_are_refused(admin, integration_id):
    href = f"/integrations/{integration_id}/runs"
    days = [f"2026-01-0{day}T00:00:00Z" for day in range(1, OPEN_ASIDE + 2)]
    answers = [await admin.post(href, json={"kind": "orders", "from": day}) for day in days]
    assert [answer.status_code for answer in answers] == [202] * OPEN_ASIDE + [409]
    assert answers[-1].json()["code"] == "too_many_backfills"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "odd"},
        {"kind": "orders", "from_": "2026-01-01T00:00:00Z"},
        {"kind": "orders", "from": "2026-01-01"},
        {"kind": "orders", "from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"kind": "stock", "from": "2026-01-01T00:00:00Z"},
        {"kind": "orders", "dry_run": "yes"},
    ],
)
async def test_an_unusable_request_is_422(admin, integration_id, body):
    assert (await admin.post(f"/integrations/{integration_id}/runs", json=body)).status_code == 422


async def test_a_disabled_integration_runs_nothing(admin, integration_id):
    await admin.put(f"/integrations/{integration_id}/status", json={"enabled": False})
    answer = await admin.post(f"/integrations/{integration_id}/runs", json={"kind": "orders"})
    assert (answer.status_code, answer.json()["code"]) == (409, "integration_disabled")
    assert (await admin.get("/runs")).json()["items"] == []


async def test_the_history_can_be_filtered(admin, integration_id):
    for kind in ("orders", "stock"):
        await admin.post(f"/integrations/{integration_id}/runs", json={"kind": kind})

    async def kinds(query: str) -> list[str]:
        return [run["kind"] for run in (await admin.get(f"/runs?{query}")).json()["items"]]

    assert await kinds("") == ["stock", "orders"]
    assert await kinds("kind=stock") == ["stock"]
    assert await kinds("status=finished") == []
    assert await kinds(f"integration_id={integration_id}") == ["stock", "orders"]
    assert await kinds("integration_id=other") == []


async def test_a_run_shows_its_calls(world, admin, integration_id):
    run = (await admin.post(f"/integrations/{integration_id}/runs", json={"kind": "orders"})).json()
    await journal(world, run["id"], "/api/v3/orders")
    call = (await admin.get(f"/runs/{run['id']}/calls")).json()["items"][0]
    assert (call["method"], call["path"], call["status"], call["code"]) == ("GET", "/api/v3/orders", 200, 0)
    assert (call["duration_ms"], call["channel_request_id"]) == (12, "wish-1")


async def test_a_failed_run_says_when_calls_are_welcome_again(world, admin, integration_id):
    run = (await admin.post(f"/integrations/{integration_id}/runs", json={"kind": "orders"})).json()
    until = datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC)
    error = RunError("marketplace_unavailable", "channel_outage", "channel", True, "Wish did not answer.", until)
    async with world.database.begin() as work:
        await work.runs.finish(run["id"], RunStatus.FINISHED, Outcome.FAILED, Counts(), error, until)
    shown = (await admin.get(f"/runs/{run['id']}")).json()["error"]
    assert (shown["code"], shown["retry_at"]) == ("marketplace_unavailable", "2026-11-23T10:15:30.000Z")


async def test_a_run_can_be_cancelled_and_again(admin, integration_id):
    run = (await admin.post(f"/integrations/{integration_id}/runs", json={"kind": "orders"})).json()
    for _ in range(2):
        answer = await admin.post(f"/runs/{run['id']}/cancel")
        assert (answer.status_code, answer.json()["cancel_requested"]) == (200, True)


async def test_a_reconciliation_says_how_much_was_missing_and_no_other_run_does(world, admin, integration_id):
    for kind in ("reconcile", "orders"):
        run = (await admin.post(f"/integrations/{integration_id}/runs", json={"kind": kind})).json()
        async with world.database.begin() as work:
            await work.runs.beat(run["id"], Counts(created=3, missing_found=2), datetime.now(UTC))

    shown = {run["kind"]: run for run in (await admin.get("/runs")).json()["items"]}
    facts = (await admin.get(f"/integrations/{integration_id}/diagnostics")).json()["runs"]

    assert (shown["reconcile"]["missing_found"], shown["orders"]["missing_found"]) == (2, None)
    assert (shown["reconcile"]["counts"]["seen"], shown["reconcile"]["counts"]["created"]) == (3, 3)
    assert {run["kind"]: run["missing_found"] for run in facts} == {"reconcile": 2, "orders": None}
