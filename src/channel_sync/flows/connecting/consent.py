"""A browser leaves for the marketplace: the page before, and the way there."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from channel_sync.domain.channel import Channel, ConsentRequest
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import Invalid
from channel_sync.domain.integrations import AttemptKind, Integration
from channel_sync.domain.platform_apps import platform_app
from channel_sync.flows.connecting.pkce import TICKET_LIFETIME, challenge_of, hash_of, new_token
from channel_sync.flows.connecting.under_way import UnderWay, chosen, under_way
from channel_sync.flows.grants.credentials import more_of
from channel_sync.flows.retries import while_stale
from channel_sync.persistence.attempts import Attempt
from channel_sync.persistence.database import Database, UnitOfWork

# A browser may have so many connections under way; beginning one more lets go of the oldest.
MOST_UNDER_WAY = 12
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class AttemptView:
    """What a person should see before leaving: which account and integration are about to be connected.

    The `client_id` is that of an application which the person may know: not the platform's.
    """

    channel_name: str
    integration_name: str
    tenant: str
    client_id: str | None
    shop_name: str | None
    merchant_id: str | None
    kind: AttemptKind


@dataclass(frozen=True, slots=True)
class ConsentRedirect:
    """Where the browser goes, and the cookie it must bring back, named after channel and `ref`.

    `others` are the refs of what else it has under way; for any more it needs no cookie.
    """

    channel: str
    consent_url: str
    ref: str
    cookie: str = field(repr=False)
    max_age_s: int
    others: tuple[str, ...]


class ConsentRedirects:
    """Ways to the marketplace, by a ticket or by the cookie of an attempt that is under way already."""

    def __init__(self, database: Database, channels: Mapping[str, Channel]) -> None:
        self._database = database
        self._channels = channels

    async def recognised(self, ticket: str, cookies: Collection[str]) -> str | None:
        """The id of the attempt that the ticket or a cookie is of, if there is one that has not expired."""
        async with self._database.read() as work:
            return await work.attempts.live(hash_of(ticket), [hash_of(cookie) for cookie in cookies], utcnow())

    async def describe(self, ticket: str, cookies: Collection[str]) -> AttemptView:
        """What the ticket is for; `Invalid` when another browser used it or it is too old. It is not used up."""
        async with self._database.read() as work:
            attempt, integration = await _by_ticket(work, ticket, utcnow())
        _cookie_for(attempt, cookies, "")
        return AttemptView(
            channel_name=self._channels[integration.channel].description.name,
            integration_name=integration.name,
            tenant=integration.tenant,
            client_id=None if attempt.platform_app else attempt.client_id or integration.client_id,
            shop_name=integration.shop_name,
            merchant_id=integration.merchant_id,
            kind=attempt.kind,
        )

    async def start(self, ticket: str, cookies: Collection[str], offered: str = "") -> ConsentRedirect:
        """The way to the marketplace for the first browser that takes it, as often as it likes until it is back.

        `offered` is what the page's form suggests as its cookie: pressed twice, it is the same browser's.
        """

        async def step() -> ConsentRedirect:
            now = utcnow()
            async with self._database.begin() as work:
                attempt, integration = await _by_ticket(work, ticket, now)
                return await self._leave(work, UnderWay(attempt, integration), cookies, offered, now)

        return await self._with_others(await while_stale(step), cookies)

    async def again(self, ref: str, cookies: Collection[str]) -> ConsentRedirect:
        """The same for one of the browser's own attempts, which it came back from in vain."""

        async def step() -> ConsentRedirect:
            now = utcnow()
            one = chosen(await under_way(self._database, cookies), ref)
            if one is None or not one.is_open(now):
                raise Invalid("attempt_expired", "This connection is not under way any more; start again.")
            async with self._database.begin() as work:
                return await self._leave(work, one, cookies, "", now)

        return await self._with_others(await while_stale(step), cookies)

    async def _leave(
        self, work: UnitOfWork, one: UnderWay, cookies: Collection[str], offered: str, now: datetime
    ) -> ConsentRedirect:
        attempt, integration = one.attempt, one.integration
        state, cookie = new_token(), _cookie_for(attempt, cookies, offered)
        hashes = hash_of(state), hash_of(cookie)
        if not await work.attempts.proceed(attempt.id, *hashes, now, now + TICKET_LIFETIME):
            raise _used()
        await set_out(work, integration, now)
        channel = self._channels[integration.channel]
        if attempt.platform_app:
            apps, place = self._database.platform_apps, (integration.channel, integration.environment)
            more = platform_app(apps, *place, attempt.client_id or "").more
        else:
            more = await more_of(work, channel.description, integration.id)
        asked = ConsentRequest(
            client_id=attempt.client_id or integration.client_id,
            environment=integration.environment,
            state=state,
            # That of the attempt: without a state, what comes back may answer either press.
            code_challenge=challenge_of(attempt.code_verifier),
            more=more,
        )
        max_age_s = int(TICKET_LIFETIME.total_seconds())
        return ConsentRedirect(integration.channel, channel.consent_url(asked), attempt.ref, cookie, max_age_s, ())

    async def _with_others(self, redirect: ConsentRedirect, cookies: Collection[str]) -> ConsentRedirect:
        now = utcnow()
        mine = await under_way(self._database, cookies)
        refs = [one.attempt.ref for one in mine if one.is_open(now) and one.attempt.ref != redirect.ref]
        return replace(redirect, others=tuple(refs[: MOST_UNDER_WAY - 1]))


async def set_out(work: UnitOfWork, integration: Integration, now: datetime) -> None:
    """Note: the merchant is on the way. A draft lives on from its last step, a connection is left alone."""
    if integration.activated_at is not None and integration.connected:
        return
    await work.integrations.save(
        replace(
            integration,
            pending_until=now + TICKET_LIFETIME,
            draft_expires_at=integration.kept_until(now),
            updated_at=now,
        )
    )


async def _by_ticket(work: UnitOfWork, ticket: str, now: datetime) -> tuple[Attempt, Integration]:
    attempt = await work.attempts.by_ticket(hash_of(ticket))
    integration = None if attempt is None else await work.integrations.find(attempt.integration_id)
    if attempt is None or integration is None or integration.removed_at is not None:
        raise Invalid("attempt_expired", "This link is not known any more; start again.")
    if attempt.consumed_at is not None or attempt.result is not None:
        raise _used()
    if now >= attempt.expires_at:
        raise Invalid("attempt_expired", "This link is too old; start again.")
    return attempt, integration


def _cookie_for(attempt: Attempt, cookies: Collection[str], offered: str) -> str:
    """The cookie that ties the attempt to this browser; `Invalid` if it is another's already."""
    usable = [offered] if _TOKEN.fullmatch(offered) else []
    if attempt.continued_at is None:
        return usable[0] if usable else new_token()
    for cookie in (*cookies, *usable):
        if hash_of(cookie) == attempt.cookie_hash:
            return cookie
    raise _used()


def _used() -> Invalid:
    return Invalid("attempt_used", "This link was used already; start again.")
