"""One renewal of one grant: lease, re-read, write the intent, ask, keep the answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import uniform
from typing import NoReturn

from channel_sync.domain.channel import Channel, Grant
from channel_sync.domain.channel_rules import ChannelRules
from channel_sync.domain.clock import utcnow
from channel_sync.domain.codes import StatusReason
from channel_sync.domain.errors import (
    AccountDisabled,
    ChannelError,
    ChannelUnavailable,
    ClientRejected,
    GrantRejected,
    StorageUnavailable,
)
from channel_sync.domain.platform_apps import PlatformAppMissing, PlatformAppRejected
from channel_sync.domain.secrets import Secret
from channel_sync.flows.grants.credentials import HeldCredentials, read_credentials
from channel_sync.flows.leases import Lease, kept_alive
from channel_sync.flows.retries import until_stored
from channel_sync.flows.status.rejections import (
    CLIENT_REJECTED,
    MERCHANT_MISMATCH,
    OUTCOME_UNKNOWN,
    REFRESH_TOKEN_REJECTED,
    Rejection,
)
from channel_sync.persistence.credentials import HeldGrant
from channel_sync.persistence.database import Database
from channel_sync.persistence.renewals import RenewalLease

RETRY_AFTER = timedelta(minutes=5)
_STORE_PATIENCE_S = 600
_REASONS: dict[str, StatusReason] = {
    reason: reason for reason in (CLIENT_REJECTED, OUTCOME_UNKNOWN, MERCHANT_MISMATCH)
}


class MerchantChanged(GrantRejected):
    """A renewal answered with somebody else's grant; nothing of it is kept."""


class RenewedLately(ChannelUnavailable):
    """The grant was renewed a moment ago, and is not renewed again yet: look whether it works at all."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """A request for a grant newer than `generation`; a person's own needs no pause.

    A `secret` is one of the app that a person wants to be used from now on: it is stored with the grant that it
    brings, and if it is wrong that says nothing about the one that is stored.
    """

    integration_id: str
    generation: int
    by_person: bool = False
    secret: Secret | None = field(default=None, repr=False)


class Renewals:
    """Asks the marketplace for new grants, one at a time per integration whatever the number of processes."""

    def __init__(
        self, database: Database, channels: Mapping[str, Channel], lease: Lease, confirm_after_s: float
    ) -> None:
        self._database = database
        self._channels = channels
        self._lease = lease
        self._confirm_after_s = confirm_after_s

    async def carry_out(self, renewal: Renewal) -> HeldCredentials:
        """Newer credentials than the renewal's, whoever got them; `ChannelUnavailable` when it is not the time."""
        while True:
            current = await read_credentials(self._database, renewal.integration_id)
            if current.held.generation != renewal.generation:
                return current
            if await self._take_lease(renewal, current):
                async with kept_alive(lambda: self._keep_lease(renewal), self._lease.beat_s):
                    return await self._renew(renewal, current)
            await self._wait(renewal)

    async def _take_lease(self, renewal: Renewal, current: HeldCredentials) -> bool:
        """The lease is the written intent, too: it proves that the store takes writes before there is a call."""
        now = utcnow()
        lease = RenewalLease(self._lease.owner, now, self._lease.length)
        not_if_renewed_after = None if renewal.by_person else now - self._pause_of(current)
        async with self._database.begin() as work:
            return await work.renewals.take(
                renewal.integration_id, renewal.generation, lease, not_if_renewed_after
            )

    async def _keep_lease(self, renewal: Renewal) -> bool:
        """A sign of life: two calls with their deadlines and a pause between them may outlast the lease."""
        until = utcnow() + self._lease.length
        try:
            async with self._database.begin() as work:
                return await work.renewals.keep(
                    renewal.integration_id, renewal.generation, self._lease.owner, until
                )
        except StorageUnavailable:
            return True

    async def _wait(self, renewal: Renewal) -> None:
        """A moment, while somebody else holds the lease."""
        now = utcnow()
        current = await read_credentials(self._database, renewal.integration_id)
        is_free = current.held.generation == renewal.generation and not current.lease_of_another(now)
        if is_free and not renewal.by_person:
            _check_time(current.held, self._pause_of(current), now)
        await asyncio.sleep(uniform(0.05, 0.25))

    async def _renew(self, renewal: Renewal, current: HeldCredentials) -> HeldCredentials:
        try:
            grant = await self._ask(renewal, current)
        except GrantRejected as rejected:
            await self._give_back(renewal, current, rejected)
            return await self._newer(renewal) or await self._give_up(renewal, current, rejected)
        except ChannelError as error:
            await self._give_back(renewal, current, error)
            newer = await self._newer(renewal)
            if newer is None:
                raise
            return newer
        if grant is not None:
            await self._keep(renewal, current, grant)
        return await read_credentials(self._database, renewal.integration_id)

    async def _newer(self, renewal: Renewal) -> HeldCredentials | None:
        """What somebody else stored meanwhile: beside that our failure is worth nothing."""
        stored = await read_credentials(self._database, renewal.integration_id)
        return None if stored.held.generation == renewal.generation else stored

    async def _ask(self, renewal: Renewal, current: HeldCredentials) -> Grant | None:
        """The new grant, or nothing when somebody else stored one; a rejection has been heard twice."""
        try:
            return await self._call(renewal, current)
        except MerchantChanged:
            raise
        except AccountDisabled:
            pass
        except GrantRejected as rejected:
            if _only_the_secret(renewal, rejected):
                raise
            # The process that asked before us died: its answer may have spent the refresh token.
            if current.held.renewing_until is not None and not isinstance(rejected, ClientRejected):
                raise GrantRejected(OUTCOME_UNKNOWN, "An earlier renewal was cut off.") from rejected
        await asyncio.sleep(self._confirm_after_s)
        again = await read_credentials(self._database, renewal.integration_id)
        return None if again.held.generation != renewal.generation else await self._call(renewal, again)

    async def _call(self, renewal: Renewal, current: HeldCredentials) -> Grant:
        channel, app = self._channels[current.integration.channel], current.app
        if app is None:
            raise PlatformAppMissing
        app = replace(app, client_secret=renewal.secret or app.client_secret)
        try:
            grant = await channel.renew(app, current.held.grant.refresh_token)
        except ClientRejected as rejected:
            if not app.of_platform:
                raise
            # It says nothing about this merchant, nor about any other: all of them work on with what they have.
            raise PlatformAppRejected(rejected.request_id) from rejected
        if grant.merchant_id != current.integration.merchant_id:
            raise MerchantChanged(MERCHANT_MISMATCH, "The renewed grant belongs to another merchant.")
        return grant

    async def _keep(self, renewal: Renewal, current: HeldCredentials, grant: Grant) -> None:
        """The grant stored unless a newer one is; it is the only copy, so the store is waited for."""

        async def store() -> None:
            async with self._database.begin() as work:
                credentials, id, generation = work.credentials, renewal.integration_id, current.held.generation
                if not await credentials.store_grant(id, grant, generation):
                    return
                if renewal.secret is not None:
                    await credentials.set_app(id, current.integration.client_id, renewal.secret, utcnow())
                # Should this process die before the new grant was tried, it is asked about once more.
                await work.renewals.doubt(id, generation + 1, utcnow() + self._pause_of(current))

        await until_stored(store, _STORE_PATIENCE_S)

    async def _give_back(self, renewal: Renewal, current: HeldCredentials, error: ChannelError) -> None:
        """The lease ended without a grant. What a process left open stays open until it is answered."""
        now, owner = utcnow(), self._lease.owner
        answered = isinstance(error, GrantRejected)
        retry_at = None if answered else now + RETRY_AFTER
        stays_open = current.held.renewing_until is not None and (not answered or _only_the_secret(renewal, error))
        open_since = now if stays_open else None

        async def give_back() -> None:
            async with self._database.begin() as work:
                await work.renewals.release(
                    renewal.integration_id, renewal.generation, owner, retry_at, open_since
                )
                # What a person tries says nothing about the renewals that go on by themselves.
                if not answered and not renewal.by_person:
                    await work.renewals.note_failure(renewal.integration_id, renewal.generation, now)

        await until_stored(give_back, self._lease.seconds)

    async def _give_up(self, renewal: Renewal, current: HeldCredentials, rejected: GrantRejected) -> NoReturn:
        """Note that only a person can help, and raise the rejection by its final name."""
        if _only_the_secret(renewal, rejected):
            raise rejected
        if isinstance(rejected, AccountDisabled):
            disabled = self._rules_of(current).disabled_reason
            await self._rejection(renewal, disabled).paused(self._database)
            raise rejected
        reason = _REASONS.get(rejected.code, REFRESH_TOKEN_REJECTED)
        await self._rejection(renewal, reason).needs_reauth(self._database)
        if reason == rejected.code:
            raise rejected
        raise GrantRejected(reason, rejected.message, rejected.request_id) from rejected

    def _rules_of(self, current: HeldCredentials) -> ChannelRules:
        return self._channels[current.integration.channel].rules

    def _pause_of(self, current: HeldCredentials) -> timedelta:
        return self._rules_of(current).renewal.not_again_within

    def _rejection(self, renewal: Renewal, reason: StatusReason) -> Rejection:
        return Rejection(renewal.integration_id, renewal.generation, reason)


def _only_the_secret(renewal: Renewal, rejected: ChannelError) -> bool:
    """Whether all that is wrong is the secret that a person wanted to try."""
    return renewal.secret is not None and isinstance(rejected, ClientRejected)


def _check_time(held: HeldGrant, pause: timedelta, now: datetime) -> None:
    """`ChannelUnavailable` while the marketplace is not to be asked."""
    if held.retry_at is not None and held.retry_at > now:
        wait_s = (held.retry_at - now).total_seconds()
        raise ChannelUnavailable("renewal_postponed", "The last renewal got no answer. It is asked again.", wait_s)
    if held.renewed_at is None or held.renewing_until is not None:
        return
    wait_s = (held.renewed_at + pause - now).total_seconds()
    if wait_s > 0:
        raise RenewedLately("renewal_postponed", "The grant was renewed a moment ago.", wait_s)
