"""A push, or other rules, tried before anything is sent."""

import pytest

from channel_sync.domain.listings import StockChange


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def test_a_dry_run_of_stock_takes_rules_to_try(admin, integration_id):
    body = {"kind": "stock", "dry_run": True, "rules": {"maximum": 5}}
    answer = await admin.post(f"/integrations/{integration_id}/runs", json=body)
    run = answer.json()
    assert (answer.status_code, run["dry_run"]) == (202, True)
    assert run["rules"] == {"buffer": None, "percent": None, "end_when": None, "maximum": 5}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "stock", "rules": {"maximum": 5}}, "/rules"),
        ({"kind": "orders", "dry_run": True, "rules": {"maximum": 5}}, "/rules"),
        ({"kind": "listings", "dry_run": True}, "/dry_run"),
        ({"kind": "stock", "dry_run": True, "rules": {"percent": 0}}, "/rules/percent"),
    ],
)
async def test_what_makes_no_sense_is_refused_where_it_stands(admin, integration_id, body, pointer):
    answer = await admin.post(f"/integrations/{integration_id}/runs", json=body)
    assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, [pointer])


async def test_its_changes_are_listed_page_by_page(world, admin, integration_id):
    run = (
        await admin.post(f"/integrations/{integration_id}/runs", json={"kind": "stock", "dry_run": True})
    ).json()
    async with world.database.begin() as work:
        await work.run_changes.add(run["id"], [StockChange(f"lst_{n}", f"SKU-{n}", 9, n) for n in range(3)])

    first = (await admin.get(f"/runs/{run['id']}/changes", params={"limit": 2})).json()
    rest = (await admin.get(f"/runs/{run['id']}/changes", params={"cursor": first["next_cursor"]})).json()

    assert first["items"][0] == {"listing_id": "lst_0", "sku": "SKU-0", "before": 9, "quantity": 0}
    assert [one["sku"] for one in first["items"] + rest["items"]] == ["SKU-0", "SKU-1", "SKU-2"]
    assert rest["next_cursor"] is None
