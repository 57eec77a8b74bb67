"""One page of orders into rows and events. Everything that stores orders goes through here."""

from dataclasses import dataclass
from datetime import datetime

from channel_sync.domain.events import Event
from channel_sync.domain.ids import derived_id, new_id
from channel_sync.domain.integrations import Account, Integration
from channel_sync.domain.orders import HeldOrder, OrderPage, event_types
from channel_sync.domain.runs import Counts
from channel_sync.flows.clock import utcnow
from channel_sync.persistence.database import UnitOfWork
from channel_sync.persistence.encryption import Cipher
from channel_sync.persistence.order_rows import Fresh, RowWriter
from channel_sync.persistence.orders import StoredChange


@dataclass(frozen=True, slots=True)
class ReadyPage:
    """A page with what storing its orders takes, worked out before the transaction."""

    page: OrderPage
    writer: RowWriter
    orders: list[Fresh]


def ready(
    page: OrderPage, integration: Integration, account: Account, cipher: Cipher, likely_new: bool
) -> ReadyPage:
    """The page made ready. Where most orders are likely new, even their rows are: the transaction is shorter."""
    writer = RowWriter(account, integration.default_currency or "", utcnow(), cipher)
    return ReadyPage(page, writer, writer.prepare(page.orders, likely_new))


async def store_page(work: UnitOfWork, integration: Integration, fresh: ReadyPage) -> Counts:
    """What the page brought. An order that cannot be used is held and counts once; known content is no news."""
    counts, events = Counts(), []
    page, account, now = fresh.page, fresh.writer.account, utcnow()
    if page.orders:
        stored = await work.orders.store_prepared(fresh.writer, fresh.orders)
        await work.held_orders.release(account.id, [order.channel_order_id for order in page.orders])
        counts += stored.counts
        events += order_events(integration, account, stored.changes, now)
    if page.unreadable:
        held = await work.held_orders.hold(account, page.unreadable, now)
        counts += Counts(held=len(held), unchanged=len(page.unreadable) - len(held))
        events += [_held_event(integration, order, now) for order in held]
    if events:
        await work.events.add(events)
    return counts


def order_events(
    integration: Integration, account: Account, changes: list[StoredChange], now: datetime
) -> list[Event]:
    """The events of a page. The same version of an order gets the same event id, however often it is stored."""
    return [
        Event(
            derived_id("evt", change.updated_at, account.id, change.channel_order_id, str(change.version), type_),
            integration.tenant,
            type_,
            integration.id,
            now,
            {
                "order_id": change.order_id,
                "channel_order_id": change.channel_order_id,
                "state": change.state.value,
                "version": change.version,
            },
        )
        for change in changes
        for type_ in event_types(change.change, change.before, change.state)
    ]


def _held_event(integration: Integration, held: HeldOrder, now: datetime) -> Event:
    members: dict[str, str | int | None] = {
        "held_order_id": held.id,
        "channel_order_id": held.channel_order_id,
        "reason": held.reason,
    }
    return Event(new_id("evt", now), integration.tenant, "order.held", integration.id, now, members)
