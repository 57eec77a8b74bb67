"""A refusal names the call that helps, where there is one."""

import pytest
from tests.api.world import NEW_INTEGRATION

from channel_sync.domain.clock import utcnow
from channel_sync.domain.runs import Counts, Outcome, RunError, RunStatus
from channel_sync.flows.grants.service import Grants


@pytest.fixture
async def href(world, admin) -> str:
    """Where an active integration is."""
    return f"/integrations/{(await world.connect(admin))['id']}"


async def test_a_run_of_a_disabled_integration_is_pointed_to_the_switch(admin, href):
    await admin.put(f"{href}/status", json={"enabled": False})
    refused = (await admin.post(f"{href}/runs", json={"kind": "orders"})).json()
    assert refused["next_action"] == {"method": "PUT", "href": f"{href}/status"}


async def test_a_run_without_a_grant_is_pointed_to_the_consent(admin, href):
    await admin.delete(f"{href}?confirm=Mugs")
    await admin.post(f"{href}/restore")
    refused = (await admin.post(f"{href}/runs", json={"kind": "orders"})).json()
    assert refused["code"] == "integration_needs_reauth"
    assert refused["next_action"] == {"method": "POST", "href": f"{href}/reauthorise"}


async def test_a_change_of_a_removed_integration_is_pointed_to_its_restoring(admin, href):
    await admin.delete(f"{href}?confirm=Mugs")
    refused = (await admin.patch(href, json={"name": "X"})).json()
    assert refused["next_action"] == {"method": "POST", "href": f"{href}/restore"}


async def test_a_new_client_id_of_a_connected_integration_is_pointed_to_the_consent(admin, href):
    refused = (await admin.patch(href, json={"client_id": "client-2"})).json()
    assert refused["code"] == "reauthorise_required"
    assert refused["next_action"] == {"method": "POST", "href": f"{href}/reauthorise"}


async def test_a_stale_version_is_pointed_to_the_newest(admin, href):
    refused = (await admin.patch(href, json={"name": "X"}, headers={"If-Match": '"999"'})).json()
    assert refused["next_action"] == {"method": "GET", "href": href}


async def test_a_second_integration_of_a_merchant_is_pointed_to_the_first(admin, world, href):
    await admin.delete(f"{href}?confirm=Mugs")
    first = await world.connect(admin)
    refused = (await admin.post(f"{href}/restore")).json()
    assert (refused["code"], refused["related_id"]) == ("account_already_connected", first["id"])
    assert refused["next_action"] == {"method": "GET", "href": f"/integrations/{first['id']}"}


async def test_a_refusal_that_nothing_helps_against_names_no_call(admin):
    draft = (await admin.post("/integrations", json=NEW_INTEGRATION)).json()
    refused = await admin.post(f"/integrations/{draft['id']}/restore")
    assert refused.status_code == 409
    assert "next_action" not in refused.json()


async def test_a_closed_account_is_pointed_to_the_verification_that_ends_the_pause(admin, world, href):
    grants = Grants(world.database, {"wish": world.channel})
    await grants.pause(await grants.access(href.rpartition("/")[2]), world.channel)
    paused = (await admin.get(href)).json()
    refused = (await admin.post(f"{href}/runs", json={"kind": "orders"})).json()
    helps = paused["next_action"]
    assert (paused["status"], refused["code"], refused["next_action"]) == ("paused", "integration_paused", helps)
    assert (await admin.request(helps["method"], helps["href"])).json()["ok"]
    assert (await admin.get(href)).json()["status"] == "active"


async def test_a_run_that_met_a_closed_account_does_not_send_the_seller_to_authorise_again(admin, world, href):
    run = (await admin.post(f"{href}/runs", json={"kind": "orders"})).json()
    closed = RunError("account_disabled", "auth", "channel", retryable=False, message="The account is closed.")
    async with world.database.begin() as work:
        await work.runs.finish(run["id"], RunStatus.FINISHED, Outcome.FAILED, Counts(), closed, utcnow())
    error = (await admin.get(f"/runs/{run['id']}")).json()["error"]
    assert error["next_action"] == {"method": "POST", "href": f"{href}/verify"}
