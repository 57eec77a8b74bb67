"""Listings whose shop shows other units than were confirmed: told once, unless stored orders explain it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from channel_sync.domain.clock import utcnow
from channel_sync.domain.events import Event
from channel_sync.domain.ids import earliest_id, new_id
from channel_sync.domain.orders import OrderContent
from channel_sync.domain.runs import RunKind
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.drifts import Suspect

_AT_ONCE = 200
# Orders that may explain why there are fewer units: as many as are read in some milliseconds.
_ORDERS_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class _Orders:
    """The last of a shop's orders, each with its id, and until when all are stored that were bought by then."""

    last: Sequence[tuple[str, OrderContent]]
    known_until: datetime | None


async def tell_drifts(session: RunSession) -> None:
    """An event for each listing that somebody else changed at the marketplace, as far as can be told by now.

    More units than were confirmed are nobody's purchase. Fewer may be one, whose order the next download brings:
    until that has ended nothing is said, and what stored orders explain is not told.
    """
    suspects = await _suspects(session, "")
    orders = await _orders(session) if suspects else None
    while suspects and orders is not None:
        drifted = [suspect for suspect in suspects if _is_drift(suspect, orders)]
        if drifted:
            await _tell(session, drifted)
        suspects = await _suspects(session, suspects[-1].listing_id)


async def _suspects(session: RunSession, after: str) -> Sequence[Suspect]:
    async with session.database.read() as work:
        return await work.drifts.suspects(session.account.id, after, _AT_ONCE)


async def _orders(session: RunSession) -> _Orders:
    integration = session.integration
    async with session.database.read() as work:
        schedules = await work.schedules.of([integration.id], [RunKind.ORDERS])
        last = await work.orders.last_contents(session.account, _ORDERS_LOOKED_AT)
    downloads = schedules[integration.id].get(RunKind.ORDERS)
    if not integration.settings.orders.enabled:
        # No order will come that might explain anything.
        return _Orders(last, utcnow())
    return _Orders(last, None if downloads is None else downloads.seen_until)


def _is_drift(suspect: Suspect, orders: _Orders) -> bool:
    missing = suspect.quantity - suspect.shown
    if missing < 0:
        return True
    if orders.known_until is None or orders.known_until < suspect.differs_since:
        return False
    return missing > _sold(suspect, orders)


def _sold(suspect: Suspect, orders: _Orders) -> int:
    """Units in orders that came in since the listing was told its stock."""
    since = earliest_id("ord", suspect.settled_at)
    return sum(
        line.quantity
        for order_id, content in orders.last
        if order_id >= since
        for line in content.lines
        if line.channel_listing_id == suspect.variation_id
    )


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
        "at_channel": suspect.shown,
    }
    tenant, integration_id = session.integration.tenant, session.integration.id
    return Event(new_id("evt", now), tenant, "stock.drift_detected", integration_id, now, members)
