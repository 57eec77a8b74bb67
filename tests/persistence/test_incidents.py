"""Incidents are opened once and closed once, whoever tries it how often."""

from tests.factories import NOW, connected, later

from channel_sync.domain.ids import new_id
from channel_sync.domain.incidents import Incident, IncidentKind

MISSING, SKIPPED = IncidentKind.WAREHOUSE_MISSING, IncidentKind.LISTINGS_SKIPPED


def an_incident(integration, kind=MISSING, at=NOW):
    return Incident(new_id("inc", at), integration.tenant, integration.id, kind, at)


async def test_one_of_a_kind_is_open_at_a_time(database):
    integration, _ = await connected(database)
    first, other = an_incident(integration), an_incident(integration, SKIPPED, later(1))

    async with database.begin() as work:
        opened = [await work.incidents.open(one) for one in (first, an_incident(integration), other)]

    assert opened == [True, False, True]
    async with database.read() as work:
        assert await work.incidents.open_of([integration.id]) == {integration.id: [first, other]}


async def test_what_is_closed_can_open_again_and_is_another(database):
    integration, _ = await connected(database)
    first, second = an_incident(integration), an_incident(integration)

    async with database.begin() as work:
        await work.incidents.open(first)
        closed = [await work.incidents.close(integration.id, MISSING, later(1)) for _ in range(2)]
        assert await work.incidents.open(second)

    assert closed == [True, False]
    async with database.read() as work:
        assert await work.incidents.open_of([integration.id]) == {integration.id: [second]}


async def test_a_shop_keeps_its_incidents_to_itself(database):
    (one, _), (another, _) = await connected(database), await connected(database)

    async with database.begin() as work:
        await work.incidents.open(an_incident(one))
        await work.incidents.open(an_incident(another))
        await work.incidents.close_all(one.id, later(1))

    async with database.read() as work:
        assert list(await work.incidents.open_of([one.id, another.id])) == [another.id]


async def test_only_incidents_that_ended_are_forgotten(database):
    integration, _ = await connected(database)
    still_open = an_incident(integration, SKIPPED)

    async with database.begin() as work:
        for number in range(3):
            await work.incidents.open(an_incident(integration, at=later(number)))
            await work.incidents.close(integration.id, MISSING, later(number))
        await work.incidents.open(still_open)
        forgotten = [await work.incidents.prune(later(2), 1) for _ in range(3)]

    assert forgotten == [1, 1, 0]
    async with database.read() as work:
        assert await work.incidents.open_of([integration.id]) == {integration.id: [still_open]}
