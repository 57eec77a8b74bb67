"""One page of orders into rows and events. Everything that stores orders goes through here."""

from collections.abc import Sequence
from datetime import datetime

from channel_sync.domain.clock import utcnow
from channel_sync.domain.events import Event, Members
from channel_sync.domain.held_orders import HeldOrder
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Account, Integration
from channel_sync.domain.order_versions import GIVEN_UP
from channel_sync.domain.orders import OrderState, UnreadableOrder, update_event_types
from channel_sync.domain.runs import Counts
from channel_sync.flows.orders.comparison import Comparison
from channel_sync.flows.orders.prepare import PageContext, ReadyPage, not_storable, order_event
from channel_sync.persistence.database import UnitOfWork
from channel_sync.persistence.rows.event_rows import EventRow, event_row
from channel_sync.persistence.rows.prepared_orders import OrderRow, PersonalParts, has_parcel, raw_of
from channel_sync.persistence.rows.timestamps import moment
from channel_sync.persistence.stored_pages import StoredChange, StoredPage


def context_of(integration: Integration, account: Account) -> PageContext:
    """The context of a page that came just now."""
    return PageContext(
        channel=account.channel,
        tenant=account.tenant,
        account_id=account.id,
        integration_id=integration.id,
        default_currency=integration.default_currency or "",
        now=utcnow(),
    )


async def store_page(
    work: UnitOfWork,
    integration: Integration,
    account: Account,
    fresh: ReadyPage,
    compared: Comparison | None = None,
    doubted: set[str] | None = None,
    asked_at: datetime | None = None,
) -> Counts:
    """What the page brought. An order that cannot be used is held and counts once; known content is no news.

    Compared by a reconciliation, what was missing is counted, too. Ids of orders that contradict what is stored go
    into `doubted`; the answer to a question for one of them was `asked_at`, and counts. See `store_rows`.
    """
    counts, events, now = Counts(), list[EventRow](), utcnow()
    if fresh.rows:
        stored = await work.orders.store_rows(account, fresh.rows, doubted is not None, asked_at)
        if doubted is not None:
            doubted.update(stored.contradicting)
        await work.held_orders.release(account.id, [row.channel_order_id for row in fresh.rows])
        counts += stored.counts
        if compared is not None:
            counts += Counts(missing_found=sum(map(compared.is_missed, stored.created)))
        events += [fresh.created[row.id] for row in stored.created]
        shipped = await _shipped(work, stored.updated)
        await _reserve(work, integration, account, stored, shipped)
        for change in stored.updated:
            events += _events_of(change, integration.id, change.row.id in shipped)
    if fresh.unreadable:
        known = await _known(work, account, fresh.unreadable) if compared is not None else set()
        held = await work.held_orders.hold(account, fresh.unreadable, now)
        counts += Counts(held=len(held), unchanged=len(fresh.unreadable) - len(held))
        if compared is not None:
            unknown = [one for one in fresh.unreadable if one.channel_order_id not in known]
            counts += Counts(missing_found=sum(map(compared.is_missed, unknown)))
        events += [event_row(_held_event(integration, order, now)) for order in held]
    if events:
        await work.events.add_rows(integration.tenant, events)
    return counts


async def _reserve(
    work: UnitOfWork, integration: Integration, account: Account, stored: StoredPage, shipped: set[str]
) -> None:
    """Hold back what new orders take, and no more what those took that were given up before they were shipped.

    What was sold before there was the integration is history: the caller's levels count it.
    """
    reopened = [change.row for change in stored.updated if change.before in GIVEN_UP]
    await work.reservations.add(account, integration.created_at, [*stored.created, *reopened])
    given_up = [change.row.id for change in stored.updated if change.row.state in GIVEN_UP]
    if back := set(given_up) - shipped:
        await work.reservations.give_back(back)


async def _known(work: UnitOfWork, account: Account, unreadable: Sequence[UnreadableOrder]) -> set[str | None]:
    """Those of the orders' ids that are stored or held; of one without an id nobody can tell."""
    ids = [one.channel_order_id for one in unreadable if one.channel_order_id is not None]
    return {None, *await work.order_ids.known(account.id, ids), *await work.held_orders.known(account.id, ids)}


async def count_page(work: UnitOfWork, account: Account, fresh: ReadyPage) -> Counts:
    """What `store_page` would count, but for changes of orders that are known."""
    ids = {row.channel_order_id for row in fresh.rows}
    created = len(ids - await work.order_ids.known(account.id, list(ids)))
    return Counts(created=created, unchanged=len(fresh.rows) - created, held=len(fresh.unreadable))


def as_held(row: OrderRow, parts: PersonalParts) -> UnreadableOrder:
    """A row that the database refuses, as an order that is held."""
    return not_storable(row.channel_order_id, moment(row.channel_updated_at), raw_of(row, parts))


async def _shipped(work: UnitOfWork, changes: Sequence[StoredChange]) -> set[str]:
    """Ids of those orders that are given up and had been shipped before, as far as anybody can tell."""
    given_up = [change.row for change in changes if change.row.state in GIVEN_UP]
    if not given_up:
        return set()
    with_parcels = {row.id for row in given_up if has_parcel(row)}
    return with_parcels | await work.order_versions.once_shipped([row.id for row in given_up])


def _events_of(change: StoredChange, integration_id: str, shipped: bool) -> list[EventRow]:
    types = update_event_types(change.before, OrderState(change.row.state))
    if change.went_back:
        types = (*types, "order.upstream_regression")
    return [order_event(change.row, type_, integration_id, shipped) for type_ in types]


def _held_event(integration: Integration, held: HeldOrder, now: datetime) -> Event:
    members: Members = {
        "held_order_id": held.id,
        "channel_order_id": held.channel_order_id,
        "reason": held.reason,
    }
    return Event(new_id("evt", now), integration.tenant, "order.held", integration.id, now, members)
