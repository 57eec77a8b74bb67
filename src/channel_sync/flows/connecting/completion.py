"""What becomes of an attempt: one grant, one result, told to everyone who asks."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from random import uniform
from time import monotonic

from channel_sync.domain.clock import utcnow
from channel_sync.domain.codes import CALLBACK_ERRORS, CallbackError
from channel_sync.domain.errors import ChannelError, Conflict
from channel_sync.domain.integrations import Authorisation, Integration
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.outcomes import CONNECTED, UNKNOWN_ATTEMPT, Callback, CallbackResult
from channel_sync.flows.connecting.redemption import Redeeming
from channel_sync.flows.connecting.second_consents import (
    STORE_PATIENCE_S,
    Doubts,
    ShopOfApp,
    keeper_of,
    renew_holder,
    renew_keeper,
    shop_of,
)
from channel_sync.flows.connecting.under_way import UnderWay
from channel_sync.flows.integrations.activation import ObtainedGrant, connect
from channel_sync.flows.retries import until_stored, while_stale
from channel_sync.flows.status.events import integration_event
from channel_sync.persistence.attempts import Attempt
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.rows.encryption import Unreadable

_FIRST_RESULT_WITHIN_S = 10
_ERRORS: dict[str, CallbackError] = {error: error for error in CALLBACK_ERRORS}


@dataclass(frozen=True, slots=True)
class Settled:
    """How an attempt ended, and which integration has its grant now."""

    callback_result: CallbackResult
    owner_id: str | None


class AttemptCompletion:
    """Ends of attempts. `nudge` is called when a connection made jobs due."""

    def __init__(
        self, database: Database, redeeming: Redeeming, doubts: Doubts, nudge: Callable[[], None]
    ) -> None:
        self._database = database
        self._redeeming = redeeming
        self._doubts = doubts
        self._nudge = nudge

    async def arrive(self, one: UnderWay, callback: Callback) -> CallbackResult:
        """The result of an attempt whose state came back: the first callback brings it about, others wait."""
        now = utcnow()
        if not one.is_open(now):
            return await self.give_up(one, "attempt_expired")
        if callback.error is None and not callback.has_code:
            return replace(UNKNOWN_ATTEMPT, error="exchange_failed")
        async with self._database.begin() as work:
            is_first = await work.attempts.consume(one.attempt.id, now)
        if not is_first:
            return await self.result_of(one)
        return await self._finish(one, callback)

    async def _finish(self, one: UnderWay, callback: Callback) -> CallbackResult:
        """The attempt carried through. Killed in here, it stays used up without a result and nothing is stored."""
        if callback.error is not None or callback.code is None:
            return await self.fail(one, refusal_of(callback))
        try:
            app = await self._redeeming.app_of(one)
            connection = await self._redeeming.redeem(one, app, Secret(callback.code))
        except (ChannelError, Unreadable):
            return await self.fail(one, "exchange_failed")
        if not self._redeeming.covers(one, connection.grant):
            self._doubts.look_into(shop_of(one.integration, connection))
            return await self.fail(one, "insufficient_scope")
        return await self._settle(one, connection)

    async def _settle(self, one: UnderWay, given: ObtainedGrant) -> CallbackResult:
        """The grant for whom it is, and the end that this is for the attempt."""
        shop = shop_of(one.integration, given)

        async def step() -> Settled:
            async with self._database.begin() as work:
                return await settle(work, one, given, utcnow())

        try:
            settled = await until_stored(lambda: while_stale(step), STORE_PATIENCE_S)
        except Conflict as refused:
            await self.let_holder_go_on(shop, given, refused)
            return await self.fail(one, account_error(refused))
        self._doubts.look_into(shop, but=settled.owner_id)
        self._nudge()
        return settled.callback_result

    async def let_holder_go_on(self, shop: ShopOfApp, given: ObtainedGrant, refused: Conflict) -> None:
        """Whoever has the shop that was refused here goes on, or says at once that it cannot."""
        holder_id = await renew_holder(self._database, shop, given)
        self._doubts.look_into(shop, but=holder_id, also=refused.related_id)
        if holder_id is not None:
            self._nudge()

    async def fail(self, one: UnderWay, error: CallbackError) -> CallbackResult:
        """The attempt that was taken ended by a failure; of the integration only that is noted."""

        async def step() -> None:
            async with self._database.begin() as work:
                await work.attempts.finish(one.attempt.id, error)
                await _note_failure(work, one.integration.id, error)

        await until_stored(lambda: while_stale(step), STORE_PATIENCE_S)
        return callback_result_of(one.attempt, one.integration, error)

    async def give_up(self, one: UnderWay, error: CallbackError) -> CallbackResult:
        """The attempt ended by a failure, unless it came to its end before."""

        async def step() -> bool:
            async with self._database.begin() as work:
                is_first = await work.attempts.give_up(one.attempt.id, error)
                if is_first:
                    await _note_failure(work, one.integration.id, error)
                return is_first

        is_first = await until_stored(lambda: while_stale(step), STORE_PATIENCE_S)
        return callback_result_of(one.attempt, one.integration, error) if is_first else await self.result_of(one)

    async def result_of(self, one: UnderWay) -> CallbackResult:
        """What an attempt that is over came to, waited for while its grant is on the way."""
        give_up_at = monotonic() + _FIRST_RESULT_WITHIN_S
        while True:
            async with self._database.read() as work:
                first = await work.attempts.get(one.attempt.id)
                integration = await work.integrations.find(one.integration.id)
            if first is None or integration is None:
                return UNKNOWN_ATTEMPT
            if first.result is not None or first.consumed_at is None:
                return callback_result_of(first, integration, first.result or "attempt_expired")
            if monotonic() >= give_up_at:
                return callback_result_of(first, integration, "attempt_used")
            await asyncio.sleep(uniform(0.1, 0.2))


async def settle(work: UnitOfWork, one: UnderWay, given: ObtainedGrant, now: datetime) -> Settled:
    """The grant stored for whom it is, and the end that this is for the attempt.

    It is for another integration if that one has the shop already, also when the one that asked is gone by now.
    `Conflict` when nobody here may have it.
    """
    asked = await work.integrations.find(one.integration.id)
    keeper = await keeper_of(work, one.integration, given.app.client_id, given.grant.merchant_id)
    if keeper is not None and keeper.id != one.integration.id:
        keeper = await renew_keeper(work, keeper, given, now)
        return Settled(await end_for_keeper(work, one.attempt, asked, keeper), keeper.id)
    if asked is None or asked.removed_at is not None:
        return Settled(UNKNOWN_ATTEMPT, None)
    connected = await connect(work, asked, given, now)
    await work.attempts.finish(one.attempt.id, CONNECTED)
    return Settled(callback_result_of(one.attempt, connected, CONNECTED), connected.id)


async def end_for_keeper(
    work: UnitOfWork, attempt: Attempt, asked: Integration | None, keeper: Integration
) -> CallbackResult:
    """The end of an attempt whose shop another integration has: a draft ends in that one, others are as before."""
    if asked is None or asked.removed_at is not None:
        return UNKNOWN_ATTEMPT
    if asked.activated_at is None:
        await work.attempts.hand_over(attempt.id, keeper.id, CONNECTED)
        await work.integrations.delete(asked.id)
        return callback_result_of(attempt, keeper, CONNECTED)
    await work.attempts.finish(attempt.id, "account_mismatch")
    await _note_failure(work, asked.id, "account_mismatch")
    return callback_result_of(attempt, asked, "account_mismatch")


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


def callback_result_of(attempt: Attempt, integration: Integration, result: str) -> CallbackResult:
    """The end that a result is."""
    return CallbackResult(
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
