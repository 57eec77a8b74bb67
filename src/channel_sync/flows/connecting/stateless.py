"""Answers without a state: redeemed at once, for a code lives five minutes; connected when a person says so."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from channel_sync.domain.channel import App
from channel_sync.domain.clock import utcnow
from channel_sync.domain.codes import CallbackError
from channel_sync.domain.errors import ChannelError, ClientRejected, Conflict, StaleVersion
from channel_sync.domain.ids import new_id
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.completion import (
    AttemptCompletion,
    Settled,
    account_error,
    end_for_keeper,
    settle,
)
from channel_sync.flows.connecting.outcomes import (
    CONNECTED,
    UNKNOWN_ATTEMPT,
    CallbackResult,
    Choice,
    Outcome,
    Question,
    Setback,
)
from channel_sync.flows.connecting.pkce import TICKET_LIFETIME, hash_of
from channel_sync.flows.connecting.questions import PendingAnswers
from channel_sync.flows.connecting.redemption import Redeeming, app_is_new
from channel_sync.flows.connecting.second_consents import (
    STORE_PATIENCE_S,
    Doubts,
    ShopOfApp,
    keeper_of,
    renew_keeper,
    shop_of,
)
from channel_sync.flows.connecting.under_way import UnderWay
from channel_sync.flows.integrations.activation import ObtainedGrant
from channel_sync.flows.retries import until_stored, while_stale
from channel_sync.persistence.callbacks import KeptCallback
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_tenant


class Answers:
    """Codes that nothing ties to an attempt. `nudge` is called when a connection made jobs due."""

    def __init__(
        self,
        database: Database,
        redeeming: Redeeming,
        completion: AttemptCompletion,
        pending: PendingAnswers,
        doubts: Doubts,
        nudge: Callable[[], None],
    ) -> None:
        self._database = database
        self._redeeming = redeeming
        self._completion = completion
        self._pending = pending
        self._doubts = doubts
        self._nudge = nudge

    async def redeem(self, code: Secret, waiting: Sequence[UnderWay]) -> Outcome:
        """The code used for the application that waits; where there are several, a person says first whose it is.

        Killed in here, the attempts are as they were, and this code is not used again.
        """
        parties = await self._pending.parties(waiting)
        usable = [one for one in waiting if one.attempt.id in parties]
        if len(set(parties.values())) > 1:
            return Choice(self._pending.candidates(usable))
        with for_tenant(waiting[0].integration.tenant):
            if not usable:
                return await self._failed(waiting, "exchange_failed", of_the_app=True)
            return await self._use(code, usable, parties[usable[0].attempt.id].app)

    async def confirm(self, callback_id: str, one: UnderWay, mine: Sequence[UnderWay]) -> Outcome:
        """The kept grant for the integration that a person chose; what has become of it, if it is gone."""
        kept = await self._of_browser(callback_id, mine)
        if kept is None or kept.merchant_id is None:
            return UNKNOWN_ATTEMPT
        asked = next(a for a in mine if a.attempt.id == kept.attempt_id)
        parties = await self._pending.parties([asked, one])
        if len(parties) < len({asked.attempt.id, one.attempt.id}) or len(set(parties.values())) > 1:
            return UNKNOWN_ATTEMPT
        app = parties[one.attempt.id].app
        shop = ShopOfApp(one.integration.channel, app.environment, app.client_id, kept.merchant_id)
        with for_tenant(one.integration.tenant):
            try:
                settled = await self._connect(kept, one, app)
            except Conflict as refused:
                self._doubts.look_into(shop, also=refused.related_id)
                return await self._completion.give_up(one, account_error(refused))
        if settled is None:
            return await self._pending.told(kept, mine)
        self._doubts.look_into(shop, but=settled.owner_id)
        self._nudge()
        return settled.callback_result

    async def accept(self, callback_id: str, one: UnderWay, mine: Sequence[UnderWay]) -> Outcome:
        """A draft ended in the integration that has its shop already, because a person says so."""
        kept = await self._of_browser(callback_id, mine)
        if kept is None or kept.integration_id is None or kept.tenant != one.integration.tenant:
            return UNKNOWN_ATTEMPT
        keeper_id = kept.integration_id

        async def step() -> CallbackResult | None:
            async with self._database.begin() as work:
                keeper = await work.integrations.find(keeper_id)
                asked = await work.integrations.find(one.integration.id)
                if keeper is None or not await work.attempts.consume(one.attempt.id, utcnow()):
                    return None
                return await end_for_keeper(work, one.attempt, asked, keeper)

        with for_tenant(kept.tenant):
            return await while_stale(step) or await self._pending.told(kept, mine)

    async def _of_browser(self, callback_id: str, mine: Sequence[UnderWay]) -> KeptCallback | None:
        async with self._database.read() as work:
            kept = await work.callbacks.get(callback_id)
        return kept if kept is not None and kept.attempt_id in {one.attempt.id for one in mine} else None

    async def _use(self, code: Secret, waiting: Sequence[UnderWay], app: App) -> Outcome:
        now = utcnow()
        newest = waiting[0]
        code_hash = hash_of(code.value)
        kept = KeptCallback(new_id("cbk", now), newest.integration.tenant, newest.attempt.id, code_hash, now)
        async with self._database.begin() as work:
            is_first = await work.callbacks.add(kept)
            if is_first and not await work.attempts.try_code(newest.attempt.id, now, now + TICKET_LIFETIME):
                await work.callbacks.fail(kept.id, "attempt_used", None, None)
                is_first = False
        if not is_first:
            return await self._pending.known(code, waiting) or UNKNOWN_ATTEMPT
        try:
            connection = await self._redeeming.redeem(newest, app, code)
        except ChannelError as error:
            of_the_app = isinstance(error, ClientRejected)
            return await self._failed(waiting, "exchange_failed", kept, of_the_app=of_the_app)
        return await self._ask(kept, waiting, connection)

    async def _ask(self, kept: KeptCallback, waiting: Sequence[UnderWay], given: ObtainedGrant) -> Outcome:
        """The question whether it is the right shop; none where an integration has that very shop already."""
        shop = shop_of(waiting[0].integration, given)
        if not self._redeeming.covers(waiting[0], given.grant):
            self._doubts.look_into(shop)
            return await self._failed(waiting, "insufficient_scope", kept, given, of_the_app=True)
        keeper_id = await self._renew_keeper(kept, waiting, given)
        if keeper_id is not None:
            self._doubts.look_into(shop, but=keeper_id)
            self._nudge()
            return await self._pending.told(kept, waiting)
        found = await self._pending.fitting(waiting, shop.client_id, shop.merchant_id)
        if found.refusal is not None and not found.fitting:
            await self._completion.let_holder_go_on(shop, given, found.refusal)
            return await self._failed(waiting, account_error(found.refusal), kept, given)
        self._doubts.look_into(shop, also=None if found.refusal is None else found.refusal.related_id)
        if not await self._keep(kept, given):
            return await self._completion.result_of(waiting[0])
        candidates = self._pending.candidates(found.fitting)
        return Question(kept.id, shop.merchant_id, given.shop_name, candidates)

    async def _keep(self, kept: KeptCallback, given: ObtainedGrant) -> bool:
        answered = replace(
            kept,
            merchant_id=given.grant.merchant_id,
            shop_name=given.shop_name,
            warehouse_id=given.warehouse_id,
        )

        async def keep() -> bool:
            async with self._database.begin() as work:
                return await work.callbacks.keep(answered, given.grant)

        return await until_stored(keep, STORE_PATIENCE_S)

    async def _renew_keeper(
        self, kept: KeptCallback, waiting: Sequence[UnderWay], given: ObtainedGrant
    ) -> str | None:
        """The integration that has the shop, with the new grant; one that waits for it has arrived."""
        merchant_id = given.grant.merchant_id

        async def step() -> str | None:
            async with self._database.begin() as work:
                asked = waiting[0].integration
                keeper = await keeper_of(work, asked, given.app.client_id, merchant_id)
                if keeper is None:
                    return None
                await renew_keeper(work, keeper, given, utcnow())
                await work.callbacks.give(kept.id, merchant_id, given.shop_name, keeper.id)
                for one in waiting:
                    if one.integration.id == keeper.id:
                        await work.attempts.finish(one.attempt.id, CONNECTED)
                return keeper.id

        return await until_stored(lambda: while_stale(step), STORE_PATIENCE_S)

    async def _failed(
        self,
        waiting: Sequence[UnderWay],
        error: CallbackError,
        kept: KeptCallback | None = None,
        given: ObtainedGrant | None = None,
        *,
        of_the_app: bool = False,
    ) -> Outcome:
        """What is wrong with the application is the attempt's own failure; anything else may be another's."""
        merchant_id, shop_name = (given.grant.merchant_id, given.shop_name) if given else (None, None)
        if kept is not None:
            async with self._database.begin() as work:
                await work.callbacks.fail(kept.id, error, merchant_id, shop_name)
        if of_the_app and len(waiting) == 1:
            return await self._completion.give_up(waiting[0], error)
        return Setback(error, self._pending.candidates(waiting), shop_name)

    async def _connect(self, kept: KeptCallback, one: UnderWay, app: App) -> Settled | None:
        """The end of the attempt; nothing when it, or the grant, is not to be had any more."""

        async def step() -> Settled | None:
            now = utcnow()
            async with self._database.begin() as work:
                attempt = await work.attempts.get(one.attempt.id)
                if attempt is None or not UnderWay(attempt, one.integration).is_open(now):
                    return None
                grant = await work.callbacks.take(kept.id, one.integration.id)
                if grant is None:
                    return None
                if not await work.attempts.consume(attempt.id, now):
                    raise StaleVersion
                given = ObtainedGrant(app, grant, kept.shop_name, app_is_new(one), kept.warehouse_id)
                return await settle(work, one, given, now)

        return await until_stored(lambda: while_stale(step), STORE_PATIENCE_S)
