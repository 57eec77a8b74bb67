"""The brake as a person sees and releases it."""

import pytest
from tests.api.seeds import account_of

from channel_sync.domain.brakes import Brake
from channel_sync.domain.clock import utcnow
from channel_sync.domain.incidents import IncidentKind
from channel_sync.flows.incidents import open_incident

pytestmark = pytest.mark.every_store


@pytest.fixture
async def shop(world, admin) -> str:
    """An integration whose brake is on."""
    integration_id = str((await world.connect(admin))["id"])
    account, now = await account_of(world, integration_id), utcnow()
    async with world.database.begin() as work:
        await work.accounts.apply_brake(account.id, Brake(now, 640, 812, 50))
        integration = await work.integrations.get("acme", integration_id)
        await open_incident(work, integration, IncidentKind.STOCK_BRAKED, now)
    return integration_id


async def test_the_brake_says_what_it_stopped(admin, shop):
    brake = (await admin.get(f"/integrations/{shop}/stock/brake")).json()
    assert (brake["on"], brake["emptied"], brake["listings"], brake["percent"]) == (True, 640, 812, 50)
    assert brake["since"]
    assert [one["kind"] for one in (await admin.get(f"/integrations/{shop}")).json()["incidents"]] == [
        "stock_braked"
    ]


async def test_a_release_takes_it_off_and_says_when(admin, shop):
    brake = (await admin.post(f"/integrations/{shop}/stock/brake", json={"release": True})).json()

    assert (brake["on"], brake["since"], brake["emptied"]) == (False, None, None)
    assert brake["released_at"]
    assert (await admin.get(f"/integrations/{shop}/stock/brake")).json() == brake
    assert (await admin.get(f"/integrations/{shop}")).json()["incidents"] == []
    types = [event["type"] for event in (await admin.get("/events")).json()["items"]]
    assert types[-2:] == ["incident.closed", "stock.brake_released"]


async def test_without_release_it_stays_on(admin, shop):
    assert (await admin.post(f"/integrations/{shop}/stock/brake", json={"release": False})).json()["on"] is True
    assert (await admin.post(f"/integrations/{shop}/stock/brake", json={})).status_code == 422


async def test_a_release_needs_the_scope(world, shop):
    async with world.caller("stock:read") as reader:
        assert (await reader.get(f"/integrations/{shop}/stock/brake")).status_code == 200
        assert (await reader.post(f"/integrations/{shop}/stock/brake", json={"release": True})).status_code == 403


async def test_the_share_is_a_setting_of_the_integration(admin, shop):
    changed = await admin.patch(f"/integrations/{shop}", json={"settings": {"stock": {"brake_percent": 80}}})
    assert changed.json()["settings"]["stock"]["brake_percent"] == 80
    for wrong in (0, 101):
        answer = await admin.patch(f"/integrations/{shop}", json={"settings": {"stock": {"brake_percent": wrong}}})
        assert answer.status_code == 422


async def test_a_draft_has_no_brake(world, admin):
    draft = (
        await admin.post(
            "/integrations",
            json={"channel": "wish", "name": "New", "client_id": "c9", "client_secret": "a-secret-of-the-app"},
        )
    ).json()
    answer = await admin.get(f"/integrations/{draft['id']}/stock/brake")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_connected")
