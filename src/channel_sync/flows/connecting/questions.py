"""What a person is shown of an answer without a state, however often the page is loaded."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import uniform
from time import monotonic

from channel_sync.domain.channel import App, Channel
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelError, Conflict, NotFound
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.completion import AttemptCompletion, account_error
from channel_sync.flows.connecting.outcomes import (
    UNKNOWN_ATTEMPT,
    AlreadyConnected,
    Asking,
    Candidate,
    Outcome,
    Question,
    Setback,
)
from channel_sync.flows.connecting.pkce import hash_of
from channel_sync.flows.connecting.redemption import Redeeming
from channel_sync.flows.connecting.under_way import UnderWay, reread
from channel_sync.flows.integrations.activation import account_for
from channel_sync.persistence.callbacks import KeptCallback
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_tenant
from channel_sync.persistence.rows.encryption import Unreadable

_SETTLED_WITHIN_S = 10


@dataclass(frozen=True, slots=True)
class Party:
    """Whose application was asked: attempts of one party may answer for each other."""

    tenant: str
    channel: str
    app: App


@dataclass(frozen=True, slots=True)
class Fitting:
    """Attempts that may have a shop, and why the newest of the others may not."""

    fitting: tuple[UnderWay, ...]
    refusal: Conflict | None


class PendingAnswers:
    """Reads what is known of an answer, and who of a browser's attempts it may be for."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        redeeming: Redeeming,
        completion: AttemptCompletion,
    ) -> None:
        self._database = database
        self._channels = channels
        self._redeeming = redeeming
        self._completion = completion

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

    async def parties(self, some: Sequence[UnderWay]) -> dict[str, Party]:
        """By attempt; those whose secret cannot be read are missing."""
        found = {}
        for one in some:
            try:
                app = await self._redeeming.app_of(one)
            except (Unreadable, NotFound, ChannelError):
                continue
            found[one.attempt.id] = Party(one.integration.tenant, one.integration.channel, app)
        return found

    async def fitting(self, waiting: Sequence[UnderWay], client_id: str, merchant_id: str) -> Fitting:
        """Those that may have the merchant's shop."""
        fitting: list[UnderWay] = []
        refusal: Conflict | None = None
        async with self._database.read() as work:
            for one in waiting:
                try:
                    await account_for(work, one.integration, client_id, merchant_id)
                    fitting.append(one)
                except Conflict as refused:
                    refusal = refusal or refused
        return Fitting(tuple(fitting), refusal)

    async def known(self, code: Secret, mine: Sequence[UnderWay]) -> Outcome | None:
        """What a code that came before was good for, waited for while it is under way; nothing for a new one."""
        async with self._database.read() as work:
            kept = await work.callbacks.by_code(hash_of(code.value))
        return None if kept is None else await self.told(kept, mine)

    async def told(self, kept: KeptCallback, mine: Sequence[UnderWay]) -> Outcome:
        """What has become of a code so far, for a browser that it came to before."""
        if kept.attempt_id not in {one.attempt.id for one in mine}:
            return UNKNOWN_ATTEMPT
        with for_tenant(kept.tenant):
            settled = await self._settled(kept)
        mine, now = await reread(self._database, mine), utcnow()
        open_now = [one for one in mine if one.is_open(now)]
        got = next((one for one in mine if one.integration.id == settled.integration_id), None)
        first = got or next((one for one in mine if one.attempt.id == settled.attempt_id), None)
        if first is None:
            return UNKNOWN_ATTEMPT
        with for_tenant(first.integration.tenant):
            if first not in open_now:
                return await self._completion.result_of(first)
            return await self._asking(settled, first, open_now)

    async def _asking(self, kept: KeptCallback, first: UnderWay, open_now: Sequence[UnderWay]) -> Asking:
        if kept.integration_id is not None:
            return await self._already_connected(kept, kept.integration_id, open_now)
        if kept.error is not None or kept.merchant_id is None:
            return Setback(kept.error or "exchange_failed", self.candidates(open_now), kept.shop_name)
        parties = await self.parties(open_now)
        theirs = [one for one in open_now if parties.get(one.attempt.id) == parties.get(first.attempt.id)]
        client_id = first.attempt.client_id or first.integration.client_id
        found = await self.fitting(theirs, client_id, kept.merchant_id)
        if found.refusal is not None and not found.fitting:
            return Setback(account_error(found.refusal), self.candidates(open_now), kept.shop_name)
        return Question(kept.id, kept.merchant_id, kept.shop_name, self.candidates(found.fitting))

    async def _already_connected(
        self, kept: KeptCallback, keeper_id: str, open_now: Sequence[UnderWay]
    ) -> AlreadyConnected | Setback:
        """A draft may end in the integration that has the shop; one that was connected before keeps its own."""
        drafts = [one for one in open_now if one.integration.activated_at is None]
        async with self._database.read() as work:
            keeper = await work.integrations.find(keeper_id)
        if keeper is None or not drafts:
            return Setback("account_mismatch", self.candidates(open_now), kept.shop_name)
        return AlreadyConnected(kept.id, kept.shop_name, keeper.name, self.candidates(drafts))

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
