"""What is noted when credentials that were refused, or whose account was closed, work again."""

from dataclasses import replace

from channel_sync.domain.clock import utcnow
from channel_sync.flows.retries import while_stale
from channel_sync.flows.scheduling.jobs import catch_up
from channel_sync.flows.status.events import integration_event
from channel_sync.flows.status.since import restated
from channel_sync.persistence.database import Database


async def recover(database: Database, integration_id: str) -> bool:
    """Whether a pause or a rejection ended here; the jobs of the integration are due then."""

    async def step() -> bool:
        now = utcnow()
        async with database.begin() as work:
            integration = await work.integrations.find(integration_id)
            if integration is None or not (integration.paused_reason or integration.rejected_reason):
                return False
            await work.renewals.doubt(integration.id, integration.generation, None)
            working = replace(integration, paused_reason=None, rejected_reason=None)
            recovered = await work.integrations.save(restated(integration, working, now))
            if recovered.activated_at is not None:
                await work.events.add([integration_event(recovered, "integration.recovered", now)])
            await catch_up(work, recovered, now)
        return True

    return await while_stale(step)
