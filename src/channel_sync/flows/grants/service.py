"""A grant good for the next call: renewed once, and early, whatever the number of callers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TypeVar

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import Channel, Shop, ShopAccess
from channel_sync.domain.channel_rules import ChannelRules, RenewalRules
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import (
    AccessTokenRejected,
    AccountDisabled,
    ChannelError,
    ChannelSyncError,
    GrantRejected,
    StorageUnavailable,
)
from channel_sync.domain.integrations import GRANT_REVOKED
from channel_sync.domain.secrets import Secret
from channel_sync.flows.batching import Batcher
from channel_sync.flows.grants.credentials import HeldCredentials, read_all_credentials, read_credentials
from channel_sync.flows.grants.expiry import tell_of_ends
from channel_sync.flows.grants.renewal import Renewal, Renewals, RenewedLately
from channel_sync.flows.leases import Lease
from channel_sync.flows.status.recovery import recover
from channel_sync.flows.status.rejections import Rejection
from channel_sync.persistence.database import Database

T = TypeVar("T")
_DUE_AT_ONCE = 100
_SIDE_BY_SIDE = 8

log = logging.getLogger(__name__)


class Grants:
    """The only way to an access token. Credentials are read at each call, so a change counts at once."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        lease: Lease | None = None,
        confirm_after_s: float = 5.0,
    ) -> None:
        self.confirm_after_s = confirm_after_s
        self._database = database
        self._channels = channels
        self._lease = lease or Lease()
        self._renewals = Renewals(database, channels, self._lease, confirm_after_s)
        self._open: dict[str, asyncio.Task[HeldCredentials]] = {}
        self._under_way: set[asyncio.Task[HeldCredentials]] = set()
        self._reads: Batcher[str, HeldCredentials] = Batcher(partial(read_all_credentials, database))

    async def access(self, integration_id: str) -> ShopAccess:
        """What the next call needs; `GrantRejected` when only the merchant can help."""
        current = await self._reads.submit(integration_id)
        if current.integration.rejected_reason is not None:
            raise GrantRejected(current.integration.rejected_reason, "The merchant has to authorise again.")
        rules = self._channels[current.integration.channel].rules.renewal
        if current.held.grant.expires_at - utcnow() >= rules.before:
            return current.access()
        try:
            renewed = await self._renewed(Renewal(integration_id, current.held.generation))
        except GrantRejected:
            raise
        except (ChannelError, StorageUnavailable):
            # Renewing is early: until the old token ends, a marketplace or a store that is away costs nothing.
            if not _still_good(current, rules, utcnow()):
                raise
            return current.access()
        return renewed.access()

    async def replace(self, access: ShopAccess) -> ShopAccess:
        """Another access than the one that was refused: the stored one if it is newer, else a renewed one.

        `RenewedLately` where that one was renewed a moment ago itself.
        """
        return (await self._renewed(Renewal(access.integration_id, access.generation))).access()

    async def stored(self, integration_id: str) -> ShopAccess:
        """The access that is stored, rejected or not; for a person's trial."""
        return (await read_credentials(self._database, integration_id)).access()

    async def prove(self, integration_id: str) -> HeldCredentials:
        """Renewed credentials because a person asks: at any time, of a rejected integration too."""
        current = await read_credentials(self._database, integration_id)
        return await self._renewed(Renewal(integration_id, current.held.generation, by_person=True))

    async def prove_secret(self, integration_id: str, secret: Secret) -> None:
        """Store another secret of the app, with the grant that it brought; `GrantRejected` where it brings none.

        Nobody waits for it together with others: what a wrong secret comes to is no answer to what they wait for.
        """
        while True:
            current = await read_credentials(self._database, integration_id)
            trial = Renewal(integration_id, current.held.generation, by_person=True, secret=secret)
            renewed = await asyncio.shield(self._start(trial))
            if renewed.app is not None and renewed.app.client_secret == secret:
                return

    async def pause(self, access: ShopAccess, channel: Channel) -> None:
        """Note that the marketplace closed the account, unless newer credentials are stored."""
        reason = channel.rules.disabled_reason
        await Rejection(access.integration_id, access.generation, reason).paused(self._database)

    async def revoked(self, access: ShopAccess) -> GrantRejected:
        """Note that a grant was revoked right after its renewal, unless newer credentials are stored; the error.

        It is asked about once more when a renewal may be, for a renewal of ours that came late does the same.
        """
        current = await read_credentials(self._database, access.integration_id)
        pause = self._channels[current.integration.channel].rules.renewal.not_again_within
        doubted_until = (current.held.renewed_at or utcnow()) + pause
        verdict = Rejection(access.integration_id, access.generation, GRANT_REVOKED, doubted_until)
        await verdict.needs_reauth(self._database)
        return GrantRejected(GRANT_REVOKED, "The marketplace ended the access that it had renewed a moment ago.")

    async def renew_due(self) -> None:
        """Renew what ends soon. One that fails is tried again later, and told of before the end."""
        now = utcnow()
        due: list[str] = []
        async with self._database.read() as work:
            for type_, channel in self._channels.items():
                before = now + channel.rules.renewal.before
                due += await work.renewals.due(type_, now, self._lease.length, before, _DUE_AT_ONCE)
        await self._each(due, self.access)
        await tell_of_ends(self._database, self._channels, utcnow())

    async def take_over(self) -> None:
        """At the start of a single process: what an earlier one was renewing is to be settled at once."""
        if self._database.single_process:
            async with self._database.begin() as work:
                await work.renewals.end_of_others(self._lease.owner, utcnow())

    async def settle(self) -> None:
        """Ask about what is open: renewals in which a process died, and grants revoked so soon after one.

        Not only once somebody needs it: a refresh token that was used may work for half a minute more.
        """
        async with self._database.read() as work:
            found = await work.renewals.unsettled(utcnow(), self._lease.length, _DUE_AT_ONCE)
        renewals = {integration_id: Renewal(integration_id, generation) for integration_id, generation in found}
        await self._each(renewals, lambda integration_id: self._settle(renewals[integration_id]))

    async def _settle(self, renewal: Renewal) -> None:
        renewed = await self._renewed(renewal)
        if renewed.integration.rejected_reason != GRANT_REVOKED:
            return
        access, channel = renewed.access(), self._channels[renewed.integration.channel]
        try:
            await channel.shop(access, CallContext(Priority.ORDERS)).merchant_id()
        except AccessTokenRejected:
            async with self._database.begin() as work:
                await work.renewals.doubt(access.integration_id, access.generation, None)
        except AccountDisabled:
            await self.pause(access, channel)
        else:
            await recover(self._database, access.integration_id)

    async def _each(self, ids: Iterable[str], ask: Callable[[str], Awaitable[object]]) -> None:
        """Some side by side. One that fails stops no other."""
        turn = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def once(integration_id: str) -> None:
            async with turn:
                try:
                    await ask(integration_id)
                except ChannelSyncError as error:
                    log.warning("grant of %s was not renewed: %s", integration_id, error.code)

        await asyncio.gather(*(once(integration_id) for integration_id in ids))

    async def finish(self, within_s: float) -> None:
        """Wait for the renewals that are under way, for their answers are the only copies."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s)

    async def _renewed(self, renewal: Renewal) -> HeldCredentials:
        """One renewal for all who wait in this process; it goes on when they go away."""
        task = self._open.get(renewal.integration_id)
        if task is None:
            task = self._open[renewal.integration_id] = self._start(renewal)
            task.add_done_callback(lambda _: self._open.pop(renewal.integration_id))
        credentials = await asyncio.shield(task)
        # The renewal that was under way may have been the one that brought the generation we are to replace.
        return credentials if credentials.held.generation != renewal.generation else await self._renewed(renewal)

    def _start(self, renewal: Renewal) -> asyncio.Task[HeldCredentials]:
        task = asyncio.create_task(self._renewals.carry_out(renewal))
        self._under_way.add(task)
        task.add_done_callback(self._close)
        return task

    def _close(self, done: asyncio.Task[HeldCredentials]) -> None:
        self._under_way.discard(done)
        # The exception is asked for here, so that asyncio does not complain when every caller has gone.
        if not done.cancelled():
            done.exception()


class ShopConnection:
    """One integration's shop, with the access token replaced once when it is refused."""

    def __init__(self, grants: Grants, channel: Channel, integration_id: str, context: CallContext) -> None:
        self._grants = grants
        self._channel = channel
        self._integration_id = integration_id
        self._context = context

    @property
    def rules(self) -> ChannelRules:
        """How the marketplace wants to be dealt with."""
        return self._channel.rules

    async def call(self, ask: Callable[[Shop], Awaitable[T]]) -> T:
        """The shop's answer. What stops the integration is heard twice: that its account is closed, and that its
        grant, though just renewed, is not accepted.
        """
        access = await self._grants.access(self._integration_id)
        try:
            return await ask(self._shop(access))
        except AccessTokenRejected:
            access = await self._other_than(access)
        except AccountDisabled:
            await self._context.sleep(self._grants.confirm_after_s)
            access = await self._grants.access(self._integration_id)
        try:
            return await ask(self._shop(access))
        except AccountDisabled:
            await self._grants.pause(access, self._channel)
            raise

    async def _other_than(self, refused: ShopAccess) -> ShopAccess:
        """Another access or, where that one was renewed a moment ago, the same if it works after all."""
        try:
            return await self._grants.replace(refused)
        except RenewedLately:
            await self._context.sleep(self._grants.confirm_after_s)
        access = await self._grants.access(self._integration_id)
        try:
            # Not what was asked for: that may be refused for a reason of its own.
            await self._shop(access).merchant_id()
        except AccessTokenRejected as rejected:
            raise await self._grants.revoked(access) from rejected
        return access

    def _shop(self, access: ShopAccess) -> Shop:
        return self._channel.shop(access, self._context)


def _still_good(current: HeldCredentials, rules: RenewalRules, now: datetime) -> bool:
    """Whether the token may work. Just renewed, it does, whatever a clock that is set wrong says."""
    renewed_at = current.held.renewed_at
    just_renewed = renewed_at is not None and abs(now - renewed_at) < rules.not_again_within
    return just_renewed or current.held.grant.expires_at > now
