"""What is not in order shows wherever an integration does."""

import pytest
from tests.api.world import World

from channel_sync.domain.clock import utcnow
from channel_sync.domain.incidents import MESSAGES, IncidentKind
from channel_sync.flows.incidents import open_incident

pytestmark = pytest.mark.every_store

KIND = IncidentKind.WAREHOUSE_MISSING


async def test_an_open_incident_shows_on_the_integration_its_status_and_the_list(world: World, admin):
    healthy, troubled = await world.connect(admin, "m1"), await world.connect(admin, "m2")
    now = utcnow()
    async with world.database.begin() as work:
        await open_incident(work, await work.integrations.get("acme", troubled["id"]), KIND, now)

    one = (await admin.get(f"/integrations/{troubled['id']}")).json()
    status = (await admin.get(f"/integrations/{troubled['id']}/status")).json()
    listed = {item["id"]: item["incidents"] for item in (await admin.get("/integrations")).json()["items"]}

    since = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert one["incidents"] == [{"kind": "warehouse_missing", "since": since, "message": MESSAGES[KIND]}]
    assert status["incidents"] == one["incidents"]
    assert listed == {healthy["id"]: [], troubled["id"]: one["incidents"]}
    assert one["status"] == "active"


async def test_every_kind_has_its_words():
    assert set(MESSAGES) == set(IncidentKind)
