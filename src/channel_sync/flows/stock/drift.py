"""Listings whose shop shows other units than were confirmed: told once, unless customers may have bought them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from channel_sync.domain.clock import utcnow
from channel_sync.domain.drifts import BOUGHT_BEFORE, Sales, Suspect, Verdict, verdict
from channel_sync.domain.events import Event
from channel_sync.domain.ids import new_id
from channel_sync.domain.runs import RunKind
from channel_sync.flows.runs.session import RunSession

_AT_ONCE = 200
# Orders that may explain why there are fewer units: as many as are read in some tenths of a second.
_ORDERS_LOOKED_AT = 20_000
_MOST_READ_ANEW = 20

LookAgain = Callable[[RunSession, Sequence[str]], Awaitable[None]]


async def tell_drifts(session: RunSession, orders_come_late: timedelta, look_again: LookAgain) -> None:
    """An event for each listing that somebody else changed at the marketplace, as far as can be told by now.

    More units than were confirmed are nobody's purchase. Fewer may be one: nothing is said before every order is
    here that may show so much later than it was made, and what stored orders explain is no drift. By `look_again`
    products are read and kept: what was told of is there at that moment.
    """
    async with session.database.read() as work:
        since = await work.drifts.oldest(session.account.id)
    if since is None:
        return
    sales, after = await _sales(session, since - BOUGHT_BEFORE, orders_come_late), ""
    while suspects := await _suspects(session, after):
        after = suspects[-1].listing_id
        await _explain(session, [one for one in suspects if verdict(one, sales) is Verdict.SOLD])
        changed = [one for one in suspects if verdict(one, sales) is Verdict.CHANGED]
        if changed and (still := await _seen_again(session, changed, sales, look_again)):
            await _tell(session, still)


async def _suspects(session: RunSession, after: str) -> Sequence[Suspect]:
    async with session.database.read() as work:
        return await work.drifts.suspects(session.account.id, after, _AT_ONCE)


async def _sales(session: RunSession, since: datetime, orders_come_late: timedelta) -> Sales:
    integration = session.integration
    async with session.database.read() as work:
        schedules = await work.schedules.of([integration.id], [RunKind.ORDERS])
        sold, whole_from = await work.sales.since(session.account, since, _ORDERS_LOOKED_AT)
        unread_at = await work.sales.last_unread_at(session.account)
    downloads = schedules[integration.id].get(RunKind.ORDERS)
    # Where none are fetched nobody ever knows what customers bought.
    seen_until = downloads.seen_until if downloads and integration.settings.orders.enabled else None
    known_until = None if seen_until is None else seen_until - orders_come_late
    return Sales(sold, whole_from, known_until, unread_at)


async def _explain(session: RunSession, sold: Sequence[Suspect]) -> None:
    if sold:
        async with session.transaction() as page:
            await page.work.drifts.explain(sold)


async def _seen_again(
    session: RunSession, changed: Sequence[Suspect], sales: Sales, look_again: LookAgain
) -> Sequence[Suspect]:
    """Those that show it still when they are read anew.

    Of many products some are read. If most of those show it, the others are believed as they are.
    """
    first = list(dict.fromkeys(one.product_id for one in changed))[:_MOST_READ_ANEW]
    read = [one.listing_id for one in changed if one.product_id in first]
    await look_again(session, first)
    async with session.database.read() as work:
        shown = await work.drifts.suspects_of(read)
    still = [one for one in shown if verdict(one, sales) is Verdict.CHANGED]
    rest = [one for one in changed if one.product_id not in first]
    return [*still, *rest] if 2 * len(still) >= len(read) else still


async def _tell(session: RunSession, drifted: Sequence[Suspect]) -> None:
    now = utcnow()
    async with session.transaction() as page:
        told = await page.work.drifts.tell([suspect.listing_id for suspect in drifted])
        events = [_event(session, suspect, now) for suspect in drifted if suspect.listing_id in told]
        if events:
            await page.work.events.add(events)


def _event(session: RunSession, suspect: Suspect, now: datetime) -> Event:
    members: dict[str, str | int | None] = {
        "listing_id": suspect.listing_id,
        "version": suspect.version,
        "quantity": suspect.quantity,
        "at_channel": suspect.at_channel,
    }
    tenant, integration_id = session.integration.tenant, session.integration.id
    return Event(new_id("evt", now), tenant, "stock.drift_detected", integration_id, now, members)
