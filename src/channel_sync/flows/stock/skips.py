"""Listings that are no longer told their stock: told once each, and an incident as long as there are any."""

from datetime import datetime

from channel_sync.domain.clock import utcnow
from channel_sync.domain.events import Event
from channel_sync.domain.ids import new_id
from channel_sync.domain.incidents import IncidentKind
from channel_sync.domain.push_states import why_skipped
from channel_sync.flows.incidents import tell_whether
from channel_sync.flows.runs.session import RunSession

_AT_ONCE = 200


async def tell_skips(session: RunSession) -> None:
    """An event for each listing that was told its stock before and is passed over now.

    As long as such listings are at the marketplace the integration says so. One that is gone from there is told
    of, and then nobody's business.
    """
    account_id, are_more = session.account.id, True
    while are_more:
        async with session.database.read() as work:
            are_more = await work.listings.is_any_ceasing(account_id)
            are_any = await work.listings.has_ceased(account_id)
        if are_more:
            await _tell_some(session)
    await tell_whether(session, IncidentKind.LISTINGS_SKIPPED, are_any)


async def _tell_some(session: RunSession) -> None:
    now = utcnow()
    async with session.transaction() as page:
        ceased = await page.work.listings.note_ceased(session.account.id, _AT_ONCE)
        events = [_event(session, listing_id, why_skipped(mapping), now) for listing_id, mapping in ceased]
        await page.work.events.add(events)


def _event(session: RunSession, listing_id: str, code: str, now: datetime) -> Event:
    tenant, integration_id = session.integration.tenant, session.integration.id
    members: dict[str, str | int | None] = {"listing_id": listing_id, "code": code}
    return Event(new_id("evt", now), tenant, "stock.skipped", integration_id, now, members)
