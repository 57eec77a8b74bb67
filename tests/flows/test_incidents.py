import pytest
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.incidents import IncidentKind
from channel_sync.flows.incidents import close_incident, open_incident
from channel_sync.flows.integrations.lifecycle import Lifecycle

MISSING = IncidentKind.WAREHOUSE_MISSING


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_an_incident_is_told_once_when_it_begins_and_once_when_it_ends(workshop: Workshop):
    seller = await workshop.connect()

    for step in (open_incident, open_incident, close_incident, close_incident):
        async with workshop.database.begin() as work:
            await step(work, seller, MISSING, utcnow())

    told = await workshop.events("incident.opened", "incident.closed")
    assert [event.type for event in told] == ["incident.opened", "incident.closed"]
    assert {(event.integration_id, event.members["kind"]) for event in told} == {(seller.id, "warehouse_missing")}


async def test_an_integration_that_is_removed_has_no_open_incident(workshop: Workshop):
    seller = await workshop.connect()
    async with workshop.database.begin() as work:
        await open_incident(work, seller, MISSING, utcnow())

    lifecycle = Lifecycle(workshop.database, {"wish": workshop.channel}, workshop.shops.grants, workshop.nudge)
    await lifecycle.remove(TENANT, seller.id, confirm=seller.name)

    async with workshop.database.read() as work:
        assert await work.incidents.open_of([seller.id]) == {}
