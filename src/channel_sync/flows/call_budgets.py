"""Calls given out to the processes that share a database."""

from collections.abc import Sequence

from channel_sync.domain.budgets import CallAllowance, CallLease
from channel_sync.flows.batching import Batcher
from channel_sync.persistence.call_budgets import Want
from channel_sync.persistence.database import Database


class CallBudgets:
    """A `SharedBudget` kept in the database. Whoever asks at the same moment is served by one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leases: Batcher[Want, CallLease] = Batcher(self._lease_all)

    async def lease(self, integration_id: str, wanted: int, allowance: CallAllowance) -> CallLease:
        """Up to so many calls, by the clock of the database."""
        return await self._leases.submit(Want(integration_id, wanted, allowance))

    async def pause(self, integration_id: str, seconds: float, allowance: CallAllowance) -> None:
        """No process calls for the integration for so long."""
        async with self._database.begin() as work:
            await work.call_budgets.pause(integration_id, seconds, allowance)

    async def _lease_all(self, wants: Sequence[Want]) -> list[CallLease]:
        async with self._database.begin() as work:
            leases = await work.call_budgets.lease(wants)
        # An integration that is gone has nothing to spend; its call finds no credentials anyway.
        return [leases.get(want.integration_id, CallLease(0, ask_again_s=1)) for want in wants]
