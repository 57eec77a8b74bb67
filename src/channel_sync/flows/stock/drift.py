"""Listings whose shop shows other units than were confirmed: told once, and put right where that is wanted."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from channel_sync.domain.clock import utcnow
from channel_sync.domain.drifts import BOUGHT_BEFORE, DriftAction, Sales, Suspect, Verdict, verdict
from channel_sync.domain.events import Event
from channel_sync.domain.ids import new_id
from channel_sync.domain.incidents import IncidentKind
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import DriftPolicy
from channel_sync.flows.incidents import tell_whether
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.stock.read_back import read_again

_AT_ONCE = 200
# Orders that may explain why there are fewer units: as many as are read in some tenths of a second.
_ORDERS_LOOKED_AT = 20_000
_MOST_READ_ANEW = 20


async def settle_drifts(session: RunSession, orders_come_late: timedelta) -> None:
    """An event for each listing that somebody else changed at the marketplace, as far as can be told by now.

    More units than were confirmed are nobody's purchase. Fewer may be one: nothing is said before every order is
    here that may show so much later than it was made, and what stored orders explain is no drift. Where that is
    wanted the listing waits for its level again, until somebody else has changed it too often; as long as there
    are such, the integration says so.
    """
    policy = _policy(session)
    if policy is not DriftPolicy.OFF:
        await _settle_all(session, policy, orders_come_late)
    async with session.database.read() as work:
        are_contested = await work.drifts.are_any_contested(session.account.id, utcnow())
    are_fought = policy is DriftPolicy.CORRECT and are_contested
    await tell_whether(session, IncidentKind.STOCK_CONTESTED, are_fought)


def _policy(session: RunSession) -> DriftPolicy:
    """What is set, but nothing waits for a push that a person has switched off."""
    stock = session.integration.settings.stock
    can_correct = stock.enabled or stock.drift is not DriftPolicy.CORRECT
    return stock.drift if can_correct else DriftPolicy.REPORT


async def _settle_all(session: RunSession, policy: DriftPolicy, orders_come_late: timedelta) -> None:
    account_id, after = session.account.id, ""
    async with session.database.read() as work:
        since = await work.drifts.oldest(account_id, policy)
    if since is None:
        return
    sales = await _sales(session, since - BOUGHT_BEFORE, orders_come_late)
    while True:
        async with session.database.read() as work:
            suspects = await work.drifts.suspects(account_id, policy, after, _AT_ONCE)
        if not suspects:
            return
        after = suspects[-1].listing_id
        await _explain(session, [one for one in suspects if verdict(one, sales) is Verdict.SOLD])
        changed = [one for one in suspects if verdict(one, sales) is Verdict.CHANGED]
        if changed:
            await _settle(session, policy, await _seen_again(session, policy, changed, sales))


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
    session: RunSession, policy: DriftPolicy, changed: Sequence[Suspect], sales: Sales
) -> Sequence[Suspect]:
    """Those that show it still when they are read anew: it is there at the moment that it is told.

    Of many products some are read. If most of those show it, the others are believed as they are.
    """
    first = list(dict.fromkeys(one.product_id for one in changed))[:_MOST_READ_ANEW]
    shown = await read_again(session, first)
    read = [one.listing_id for one in changed if one.product_id in shown]
    async with session.database.read() as work:
        anew = await work.drifts.suspects_of(read, policy)
    still = [one for one in anew if verdict(one, sales) is Verdict.CHANGED]
    rest = [one for one in changed if one.product_id not in first]
    return [*still, *rest] if read and 2 * len(still) >= len(read) else still


async def _settle(session: RunSession, policy: DriftPolicy, drifted: Sequence[Suspect]) -> None:
    now = utcnow()
    for action in DriftAction:
        these = {one.listing_id: one for one in drifted if one.action(policy, now) is action}
        if these:
            async with session.transaction() as page:
                settled = await page.work.drifts.settle(these, policy, action, now)
                await page.work.events.add([_event(session, these[id], action, now) for id in sorted(settled)])


def _event(session: RunSession, suspect: Suspect, action: DriftAction, now: datetime) -> Event:
    members: dict[str, str | int | None] = {
        "listing_id": suspect.listing_id,
        "version": suspect.version,
        "quantity": suspect.quantity,
        "at_channel": suspect.at_channel,
        "action": action.value,
    }
    tenant, integration_id = session.integration.tenant, session.integration.id
    return Event(new_id("evt", now), tenant, "stock.drift_detected", integration_id, now, members)
