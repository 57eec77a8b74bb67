"""A browser comes back from the marketplace: which of its attempts is this the answer to?

A `state` decides it. Some marketplaces may leave it out; then anybody could have sent the browser here, with the
code of a shop of their own. So a person is asked, with the shop's name in front of them, before anything is
connected, and what fails without a state uses nothing up, for it may be the answer to something else.
"""

import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from channel_sync.domain.channel import Channel
from channel_sync.domain.clock import utcnow
from channel_sync.domain.codes import CallbackError
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.completion import AttemptCompletion, refusal_of
from channel_sync.flows.connecting.outcomes import UNKNOWN_ATTEMPT, Callback, CallbackResult, Outcome, Setback
from channel_sync.flows.connecting.pkce import hash_of
from channel_sync.flows.connecting.questions import PendingAnswers
from channel_sync.flows.connecting.redemption import Redeeming
from channel_sync.flows.connecting.return_urls import origin_of
from channel_sync.flows.connecting.second_consents import Doubts
from channel_sync.flows.connecting.stateless import Answers
from channel_sync.flows.connecting.under_way import UnderWay, chosen, under_way
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_tenant

_UNKNOWN_STATE = replace(UNKNOWN_ATTEMPT, error="state_mismatch")


class OAuthCallbacks:
    """What comes back, and what a person says about it. `nudge` is called when a connection made jobs due.

    `cookies` are what the browser brought; without the one of an attempt that is nobody's, and nothing changes.
    """

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        redeeming: Redeeming,
        doubts: Doubts,
        nudge: Callable[[], None],
    ) -> None:
        self._database = database
        self._channels = channels
        self._completion = AttemptCompletion(database, redeeming, doubts, nudge)
        self._pending = PendingAnswers(database, channels, redeeming, self._completion)
        self._answers = Answers(database, redeeming, self._completion, self._pending, doubts, nudge)

    async def awaits(self, callback: Callback, cookies: Collection[str]) -> bool:
        """Whether an answer without a state may be to what this browser has under way, or one that came before."""
        mine = await under_way(self._database, cookies)
        if any(one.attempt.result is None for one in mine):
            return True
        async with self._database.read() as work:
            return await work.callbacks.by_code(hash_of(callback.code or "")) is not None

    async def arrive(self, callback: Callback, cookies: Collection[str]) -> Outcome:
        """Where the browser ends up, or what is to be asked. However often it comes, one token call is made."""
        mine = await under_way(self._database, cookies)
        if not mine:
            return UNKNOWN_ATTEMPT
        asked = [one for one in mine if self._names_issuer_of(one, callback)]
        if callback.state is None:
            asked = [one for one in asked if self._may_lack_state(one)]
            return await self._without_state(callback, asked, mine) if asked else _UNKNOWN_STATE
        for one in asked:
            if hmac.compare_digest(hash_of(callback.state), one.attempt.state_hash or ""):
                with for_tenant(one.integration.tenant):
                    return await self._completion.arrive(one, callback)
        return _UNKNOWN_STATE

    async def choose(self, ref: str, callback: Callback, cookies: Collection[str]) -> Outcome:
        """The same, once a person said which attempt an answer without a state is for."""
        mine = await under_way(self._database, cookies)
        one = chosen(mine, ref)
        if one is None:
            return UNKNOWN_ATTEMPT
        if not self._may_lack_state(one) or not self._names_issuer_of(one, callback):
            return _UNKNOWN_STATE
        return await self._without_state(callback, [one], mine)

    async def confirm(self, callback_id: str, ref: str, cookies: Collection[str]) -> Outcome:
        """The shop that answered is connected to the integration that a person chose for it."""
        mine = await under_way(self._database, cookies)
        one = chosen(mine, ref)
        return UNKNOWN_ATTEMPT if one is None else await self._answers.confirm(callback_id, one, mine)

    async def accept(self, callback_id: str, ref: str, cookies: Collection[str]) -> Outcome:
        """The draft that a person chose ends in the integration that has its shop already."""
        mine = await under_way(self._database, cookies)
        one = chosen(mine, ref)
        return UNKNOWN_ATTEMPT if one is None else await self._answers.accept(callback_id, one, mine)

    async def stop(self, ref: str, error: CallbackError, cookies: Collection[str]) -> CallbackResult:
        """The attempt ended because a person says so, by the error that they were shown."""
        one = chosen(await under_way(self._database, cookies), ref)
        if one is None:
            return UNKNOWN_ATTEMPT
        with for_tenant(one.integration.tenant):
            return await self._completion.give_up(one, error)

    async def _without_state(
        self, callback: Callback, asked: Sequence[UnderWay], mine: Sequence[UnderWay]
    ) -> Outcome:
        waiting = [one for one in asked if one.is_open(utcnow())]
        if callback.error is not None:
            if waiting:
                return Setback(refusal_of(callback), self._pending.candidates(waiting))
        elif not callback.has_code or callback.code is None:
            return replace(UNKNOWN_ATTEMPT, error="exchange_failed")
        else:
            code = Secret(callback.code)
            known = await self._pending.known(code, mine)
            if known is not None:
                return known
            if waiting:
                return await self._answers.redeem(code, waiting)
        with for_tenant(asked[0].integration.tenant):
            return await self._completion.result_of(asked[0])

    def _may_lack_state(self, one: UnderWay) -> bool:
        return not self._channels[one.integration.channel].rules.requires_state

    def _names_issuer_of(self, one: UnderWay, callback: Callback) -> bool:
        """Whether the issuer, if one is named, is the one that was asked."""
        if callback.iss is None:
            return True
        channel = self._channels[one.integration.channel]
        issuer = origin_of(channel.issuer(one.integration.environment))
        return issuer is not None and origin_of(callback.iss) == issuer
