"""Answers without a state: redeemed at once, for a code lives five minutes; connected when a person says so."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import uniform
from time import monotonic

from channel_sync.domain.channel import App, Channel
from channel_sync.domain.codes import CallbackError
from channel_sync.domain.errors import ChannelError, Conflict, NotFound, StaleVersion
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Integration
from channel_sync.domain.secrets import Secret
from channel_sync.flows.arrivals import STORE_PATIENCE_S, Arrivals, account_error, arrival_of
from channel_sync.flows.clock import utcnow
from channel_sync.flows.connect import Connection, account_for, connect
from channel_sync.flows.outcomes import CONNECTED, NOWHERE, Candidate, Choice, Outcome, Question, Setback
from channel_sync.flows.redeeming import Redeeming, app_is_new
from channel_sync.flows.rejections import CLIENT_REJECTED
from channel_sync.flows.retries import until_stored, while_stale
from channel_sync.flows.tickets import TICKET_LIFETIME, hash_of
from channel_sync.flows.under_way import UnderWay, reread
from channel_sync.persistence.callbacks import KeptCallback
from channel_sync.persistence.database import Database
from channel_sync.persistence.encryption import Unreadable
from channel_sync.persistence.tenancy import for_tenant

_SETTLED_WITHIN_S = 10


@dataclass(frozen=True, slots=True)
class _Party:
    """Whose application was asked: attempts of one party may answer for each other."""

    tenant: str
    channel: str
    app: App


class Answers:
    """Codes that nothing ties to an attempt. `nudge` is called when a connection made jobs due."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        redeeming: Redeeming,
        arrivals: Arrivals,
        nudge: Callable[[], None],
    ) -> None:
        self._database = database
        self._channels = channels
        self._redeeming = redeeming
        self._arrivals = arrivals
        self._nudge = nudge

    def candidates(self, some: Sequence[UnderWay]) -> tuple[Candidate, ...]:
        """Attempts in the words of a person."""
        return tuple(
            Candidate(
                ref=one.attempt.ref,
                channel_name=self._channels[one.integration.channel].description.name,
                integration_name=one.integration.name,
                tenant=one.integration.tenant,
                client_id=one.attempt.client_id or one.integration.client_id,
            )
            for one in some
        )

    async def known(self, code: Secret, mine: Sequence[UnderWay]) -> Outcome | None:
        """What a code that came before was good for, waited for while it is under way; nothing for a new one."""
        async with self._database.read() as work:
            kept = await work.callbacks.by_code(hash_of(code.value))
        return None if kept is None else await self._told(kept, mine)

    async def redeem(self, code: Secret, waiting: Sequence[UnderWay]) -> Outcome:
        """The code used for the application that waits; where there are several, a person says first whose it is.

        Killed in here, the attempts are as they were, and this code is not used again.
        """
        parties = await self._parties(waiting)
        usable = [one for one in waiting if one.attempt.id in parties]
        if len(set(parties.values())) > 1:
            return Choice(self.candidates(usable))
        with for_tenant(waiting[0].integration.tenant):
            if not usable:
                return await self._failed(waiting, "exchange_failed", of_the_app=True)
            return await self._use(code, usable, parties[usable[0].attempt.id].app)

    async def confirm(self, callback_id: str, one: UnderWay, mine: Sequence[UnderWay]) -> Outcome:
        """The kept grant for the integration that a person chose; what has become of it, if it is gone."""
        async with self._database.read() as work:
            kept = await work.callbacks.get(callback_id)
        asked = None if kept is None else next((a for a in mine if a.attempt.id == kept.attempt_id), None)
        if kept is None or asked is None:
            return NOWHERE
        parties = await self._parties([asked, one])
        if len(parties) < len({asked.attempt.id, one.attempt.id}) or len(set(parties.values())) > 1:
            return NOWHERE
        with for_tenant(one.integration.tenant):
            try:
                connected = await self._connect(kept, one, parties[one.attempt.id].app)
            except Conflict as refused:
                return await self._arrivals.give_up(one, account_error(refused))
        if connected is None:
            return await self._told(kept, mine)
        self._nudge()
        return arrival_of(one.attempt, connected, CONNECTED)

    async def _parties(self, some: Sequence[UnderWay]) -> dict[str, _Party]:
        """By attempt; those whose secret cannot be read are missing."""
        found = {}
        for one in some:
            try:
                app = await self._redeeming.app_of(one)
            except (Unreadable, NotFound):
                continue
            found[one.attempt.id] = _Party(one.integration.tenant, one.integration.channel, app)
        return found

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
            return await self.known(code, waiting) or NOWHERE
        try:
            connection = await self._redeeming.redeem(newest, app, code)
        except ChannelError as error:
            of_the_app = error.code == CLIENT_REJECTED
            return await self._failed(waiting, "exchange_failed", kept, of_the_app=of_the_app)
        if not self._redeeming.covers(newest, connection.grant):
            return await self._failed(waiting, "insufficient_scope", kept, connection, of_the_app=True)
        return await self._ask(kept, waiting, connection)

    async def _ask(self, kept: KeptCallback, waiting: Sequence[UnderWay], given: Connection) -> Outcome:
        merchant_id = given.grant.merchant_id
        fitting, error = await self._fitting(waiting, given.app.client_id, merchant_id)
        if not fitting:
            return await self._failed(waiting, error, kept, given)

        answered = replace(
            kept, merchant_id=merchant_id, shop_name=given.shop_name, warehouse_id=given.warehouse_id
        )

        async def keep() -> bool:
            async with self._database.begin() as work:
                return await work.callbacks.keep(answered, given.grant)

        if not await until_stored(keep, STORE_PATIENCE_S):
            return await self._arrivals.result_of(waiting[0])
        return Question(kept.id, merchant_id, given.shop_name, self.candidates(fitting))

    async def _fitting(
        self, waiting: Sequence[UnderWay], client_id: str, merchant_id: str
    ) -> tuple[list[UnderWay], CallbackError]:
        """Those that may have the merchant's shop, and why the newest of the others may not."""
        fitting: list[UnderWay] = []
        errors: list[CallbackError] = []
        async with self._database.read() as work:
            for one in waiting:
                try:
                    await account_for(work, one.integration, client_id, merchant_id)
                    fitting.append(one)
                except Conflict as refused:
                    errors.append(account_error(refused))
        return fitting, errors[0] if errors else "exchange_failed"

    async def _failed(
        self,
        waiting: Sequence[UnderWay],
        error: CallbackError,
        kept: KeptCallback | None = None,
        given: Connection | None = None,
        *,
        of_the_app: bool = False,
    ) -> Outcome:
        """What is wrong with the application is the attempt's own failure; anything else may be another's."""
        merchant_id, shop_name = (given.grant.merchant_id, given.shop_name) if given else (None, None)
        if kept is not None:
            async with self._database.begin() as work:
                await work.callbacks.fail(kept.id, error, merchant_id, shop_name)
        if of_the_app and len(waiting) == 1:
            return await self._arrivals.give_up(waiting[0], error)
        return Setback(error, self.candidates(waiting), shop_name)

    async def _connect(self, kept: KeptCallback, one: UnderWay, app: App) -> Integration | None:
        """The connected integration; nothing when attempt or grant are not to be had any more."""

        async def step() -> Integration | None:
            now = utcnow()
            async with self._database.begin() as work:
                integration = await work.integrations.find(one.integration.id)
                attempt = await work.attempts.get(one.attempt.id)
                if integration is None or attempt is None or not UnderWay(attempt, integration).is_open(now):
                    return None
                grant = await work.callbacks.take(kept.id, integration.id)
                if grant is None:
                    return None
                if not await work.attempts.consume(attempt.id, now):
                    raise StaleVersion
                given = Connection(app, grant, kept.shop_name, app_is_new(one), kept.warehouse_id)
                connected = await connect(work, integration, given, now)
                await work.attempts.finish(attempt.id, CONNECTED)
                return connected

        return await until_stored(lambda: while_stale(step), STORE_PATIENCE_S)

    async def _told(self, kept: KeptCallback, mine: Sequence[UnderWay]) -> Outcome:
        """What has become of a code so far, for a browser that it came to before."""
        if kept.attempt_id not in {one.attempt.id for one in mine}:
            return NOWHERE
        with for_tenant(kept.tenant):
            settled = await self._settled(kept)
        mine, now = await reread(self._database, mine), utcnow()
        open_now = [one for one in mine if one.is_open(now)]
        got = next((one for one in mine if one.integration.id == settled.integration_id), None)
        first = got or next((one for one in mine if one.attempt.id == settled.attempt_id), None)
        if first is None:
            return NOWHERE
        with for_tenant(first.integration.tenant):
            if first not in open_now:
                return await self._arrivals.result_of(first)
            if settled.error is not None or settled.merchant_id is None:
                return Setback(settled.error or "exchange_failed", self.candidates(open_now), settled.shop_name)
            return await self._asked_again(settled, first, open_now)

    async def _asked_again(
        self, kept: KeptCallback, first: UnderWay, open_now: Sequence[UnderWay]
    ) -> Question | Setback:
        parties = await self._parties(open_now)
        theirs = [one for one in open_now if parties.get(one.attempt.id) == parties.get(first.attempt.id)]
        client_id, merchant_id = first.attempt.client_id or first.integration.client_id, kept.merchant_id or ""
        fitting, error = await self._fitting(theirs, client_id, merchant_id)
        if not fitting:
            return Setback(error, self.candidates(open_now), kept.shop_name)
        return Question(kept.id, merchant_id, kept.shop_name, self.candidates(fitting))

    async def _settled(self, kept: KeptCallback) -> KeptCallback:
        """The callback once it is known what its code was good for; as it is, if that takes too long."""
        give_up_at = monotonic() + _SETTLED_WITHIN_S
        while True:
            async with self._database.read() as work:
                now = await work.callbacks.get(kept.id) or kept
                attempt = await work.attempts.get(kept.attempt_id)
            if now.is_settled or attempt is None or attempt.result is not None or monotonic() >= give_up_at:
                return now
            await asyncio.sleep(uniform(0.1, 0.2))
