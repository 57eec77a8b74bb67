"""What becomes of an attempt: one grant, one result, told to everyone who asks."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from random import uniform
from time import monotonic

from channel_sync.domain.codes import CALLBACK_ERRORS, CallbackError
from channel_sync.domain.errors import ChannelError, Conflict
from channel_sync.domain.integrations import Authorisation, Integration
from channel_sync.domain.secrets import Secret
from channel_sync.flows.clock import utcnow
from channel_sync.flows.connect import Connection, connect
from channel_sync.flows.integration_events import integration_event
from channel_sync.flows.outcomes import CONNECTED, NOWHERE, Arrival, Callback
from channel_sync.flows.redeeming import Redeeming
from channel_sync.flows.retries import until_stored, while_stale
from channel_sync.flows.under_way import UnderWay
from channel_sync.persistence.attempts import Attempt
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.encryption import Unreadable

STORE_PATIENCE_S = 20
_FIRST_RESULT_WITHIN_S = 10
_ERRORS: dict[str, CallbackError] = {error: error for error in CALLBACK_ERRORS}


class Arrivals:
    """Ends of attempts. `nudge` is called when a connection made jobs due."""

    def __init__(self, database: Database, redeeming: Redeeming, nudge: Callable[[], None]) -> None:
        self._database = database
        self._redeeming = redeeming
        self._nudge = nudge

    async def arrive(self, one: UnderWay, callback: Callback) -> Arrival:
        """The result of an attempt whose state came back: the first callback brings it about, others wait."""
        now = utcnow()
        if not one.is_open(now):
            return await self.give_up(one, "attempt_expired")
        if callback.error is None and not callback.has_code:
            return replace(NOWHERE, error="exchange_failed")
        async with self._database.begin() as work:
            is_first = await work.attempts.consume(one.attempt.id, now)
        if not is_first:
            return await self.result_of(one)
        return await self._finish(one, callback)

    async def _finish(self, one: UnderWay, callback: Callback) -> Arrival:
        """The attempt carried through. Killed in here, it stays used up without a result and nothing is stored."""
        if callback.error is not None or callback.code is None:
            return await self.fail(one, refusal_of(callback))
        try:
            app = await self._redeeming.app_of(one)
            connection = await self._redeeming.redeem(one, app, Secret(callback.code))
        except (ChannelError, Unreadable):
            return await self.fail(one, "exchange_failed")
        if not self._redeeming.covers(one, connection.grant):
            return await self.fail(one, "insufficient_scope")
        try:
            connected = await self._store(one.attempt, connection)
        except Conflict as refused:
            return await self.fail(one, account_error(refused))
        self._nudge()
        return arrival_of(one.attempt, connected, CONNECTED) if connected else NOWHERE

    async def _store(self, attempt: Attempt, connection: Connection) -> Integration | None:
        """The connected integration; nothing when it was removed while the browser was away."""

        async def step() -> Integration | None:
            async with self._database.begin() as work:
                integration = await work.integrations.find(attempt.integration_id)
                if integration is None or integration.removed_at is not None:
                    return None
                connected = await connect(work, integration, connection, utcnow())
                await work.attempts.finish(attempt.id, CONNECTED)
                return connected

        return await until_stored(lambda: while_stale(step), STORE_PATIENCE_S)

    async def fail(self, one: UnderWay, error: CallbackError) -> Arrival:
        """The attempt that was taken ended by a failure; of the integration only that is noted."""

        async def step() -> None:
            async with self._database.begin() as work:
                await work.attempts.finish(one.attempt.id, error)
                await _note_failure(work, one.integration.id, error)

        await until_stored(lambda: while_stale(step), STORE_PATIENCE_S)
        return arrival_of(one.attempt, one.integration, error)

    async def give_up(self, one: UnderWay, error: CallbackError) -> Arrival:
        """The attempt ended by a failure, unless it came to its end before."""

        async def step() -> bool:
            async with self._database.begin() as work:
                is_first = await work.attempts.give_up(one.attempt.id, error)
                if is_first:
                    await _note_failure(work, one.integration.id, error)
                return is_first

        is_first = await until_stored(lambda: while_stale(step), STORE_PATIENCE_S)
        return arrival_of(one.attempt, one.integration, error) if is_first else await self.result_of(one)

    async def result_of(self, one: UnderWay) -> Arrival:
        """What an attempt that is over came to, waited for while its grant is on the way."""
        give_up_at = monotonic() + _FIRST_RESULT_WITHIN_S
        while True:
            async with self._database.read() as work:
                first = await work.attempts.get(one.attempt.id)
                integration = await work.integrations.find(one.integration.id)
            if first is None or integration is None:
                return NOWHERE
            if first.result is not None or first.consumed_at is None:
                return arrival_of(first, integration, first.result or "attempt_expired")
            if monotonic() >= give_up_at:
                return arrival_of(first, integration, "attempt_used")
            await asyncio.sleep(uniform(0.1, 0.2))


async def _note_failure(work: UnitOfWork, integration_id: str, error: CallbackError) -> None:
    """Nobody is on the way any more, and why; the integration goes on as it did."""
    now = utcnow()
    integration = await work.integrations.find(integration_id)
    if integration is None or integration.removed_at is not None:
        return
    failed = replace(integration, pending_until=None, last_authorisation=Authorisation(now, error))
    failed = await work.integrations.save(failed)
    event = integration_event(failed, "integration.authorisation_failed", now)
    await work.events.add([replace(event, members={**event.members, "error": error})])


def arrival_of(attempt: Attempt, integration: Integration, result: str) -> Arrival:
    """The end that a result is."""
    return Arrival(
        integration_id=integration.id,
        result=CONNECTED if result == CONNECTED else "failed",
        error=None if result == CONNECTED else _ERRORS.get(result, "attempt_expired"),
        return_url=attempt.return_url,
        shop_name=integration.shop_name,
        integration_name=integration.name,
        kept_until=integration.draft_expires_at if integration.connected else None,
    )


def refusal_of(callback: Callback) -> CallbackError:
    """The contract's word for an answer without a code."""
    return "access_denied" if callback.error == "access_denied" else "exchange_failed"


def account_error(refused: Conflict) -> CallbackError:
    """The contract's word. Two first connections of one merchant at once meet in the store: one of them lost."""
    match refused.code:
        case "account_mismatch" | "account_in_use":
            return refused.code
        case _:
            return "account_already_connected"
