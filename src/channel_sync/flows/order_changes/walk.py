"""Orders dispatched and refunded at the marketplace: sent once, then looked at until it has done so or refused.

A call without an outcome is looked for in the order before anything is sent again, so that there is one parcel at
the marketplace whatever was cut.
"""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from channel_sync.domain.channel import Shop
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import (
    ChannelRefused,
    ChannelSyncError,
    ReplyNotUnderstood,
    RunLost,
    ValueRefused,
    may_have_landed,
)
from channel_sync.domain.events import Event
from channel_sync.domain.ids import new_id
from channel_sync.domain.order_changes import (
    ACCEPTED,
    ChangeStage,
    Finding,
    OrderChange,
    Step,
    doubtful,
    event_of,
    failed,
    finding_in,
    next_step,
    waiting,
)
from channel_sync.domain.order_progress import ChangeKind, is_busy
from channel_sync.domain.orders import ChannelOrder, OrderPage
from channel_sync.domain.runs import Counts
from channel_sync.flows.in_pieces import in_pieces
from channel_sync.flows.orders.prepare import ReadyPage, ready
from channel_sync.flows.orders.store import context_of, store_page
from channel_sync.flows.retries import until_stored
from channel_sync.flows.runs.session import RunSession, RunTransaction
from channel_sync.flows.side_by_side import to_their_ends

_AT_ONCE = 500
_STORE_PATIENCE_S = 30
# While the marketplace is at another change of the order.
_BUSY = timedelta(seconds=15)


class CarryOutChanges:
    """The walk of changes: what is due of one shop's, until nothing more is."""

    async def run(self, session: RunSession) -> None:
        """Send what is to be sent, look at what was."""
        await _notice_lost_calls(session)
        at_once = session.rules.order_changes.at_once
        while due := await _due(session):
            for together in in_pieces(due, at_once):
                await to_their_ends(_go_on(session, change) for change in together)
        session.flaw = session.commonest_refusal


async def _notice_lost_calls(session: RunSession) -> None:
    account_id, run_id = session.account.id, session.run.id
    async with session.database.read() as work:
        are_lost = await work.order_changes.are_calls_lost(account_id, run_id)
    if are_lost:
        async with session.transaction() as page:
            await page.work.order_changes.notice_lost_calls(account_id, run_id, utcnow())


async def _due(session: RunSession) -> list[OrderChange]:
    async with session.database.read() as work:
        return await work.order_changes.due(session.account.id, utcnow(), _AT_ONCE)


async def _go_on(session: RunSession, change: OrderChange) -> None:
    if change.stage is ChangeStage.REQUESTED:
        await _send(session, change)
    else:
        await _look(session, change)


async def _send(session: RunSession, change: OrderChange) -> None:
    now, polls = utcnow(), session.rules.order_changes.polls
    async with session.transaction() as page:
        await page.work.order_changes.sending(change.id, session.run.id, now)
    async with _in_doubt_without_outcome(session, change):
        try:
            answer = await session.call(lambda shop: _ask(shop, change))
        except ChannelRefused as refusal:
            await _settle(session, change, await _after_refusal(session, change, refusal))
        else:
            found = finding_in(change, _order_in(answer))
            # What it says of an earlier change may still stand in the answer.
            found = Finding.NOTHING if found is Finding.REFUSED else found
            await _settle(session, change, next_step(replace(change, sent_at=now), found, polls, utcnow()), answer)


def _ask(shop: Shop, change: OrderChange) -> Awaitable[OrderPage]:
    match change.kind:
        case ChangeKind.DISPATCH:
            return shop.dispatch(change.channel_order_id, change.parcel)
        case ChangeKind.REFUND:
            return shop.refund(change.channel_order_id, change.cause or "")


async def _after_refusal(session: RunSession, change: OrderChange, refusal: ChannelRefused) -> Step:
    """Refused for good, unless a call in doubt did it already, or the marketplace is busy with the order."""
    order = _order_in(await _read(session, change))
    match finding_in(change, order):
        case Finding.DONE:
            return ACCEPTED
        case Finding.RUNNING:
            return doubtful(utcnow())
        case Finding.REFUSED | Finding.NOTHING:
            if order is not None and is_busy(order.progress):
                return waiting(utcnow() + _BUSY)
            return failed(refusal.code, refusal.message)


async def _look(session: RunSession, change: OrderChange) -> None:
    page = await _read(session, change)
    step = next_step(change, finding_in(change, _order_in(page)), session.rules.order_changes.polls, utcnow())
    await _settle(session, change, step, page)


async def _read(session: RunSession, change: OrderChange) -> OrderPage | None:
    """The order as it is now. One that cannot be read tells nothing: it is read again, and holds up no other."""
    try:
        return await session.call(lambda shop: shop.order(change.channel_order_id))
    except (ChannelRefused, ReplyNotUnderstood):
        return None


def _order_in(page: OrderPage | None) -> ChannelOrder | None:
    return page.orders[0] if page is not None and page.orders else None


async def _settle(session: RunSession, change: OrderChange, step: Step, order: OrderPage | None = None) -> None:
    """What becomes of the change, into rows and events; with its end the order is stored as it is then."""
    context = context_of(session.integration, session.account)
    is_end = step.next_at is None
    fresh = ready(order, context, session.database.personal) if is_end and order is not None else None
    try:
        await _keep(session, change, step, fresh)
    except ValueRefused:
        # The next download holds the order and says why.
        await _keep(session, change, step, None)


async def _keep(session: RunSession, change: OrderChange, step: Step, order: ReadyPage | None) -> None:
    now = utcnow()
    async with session.transaction() as page:
        if order is not None:
            await store_page(page.work, session.integration, session.account, order)
        if await page.work.order_changes.take(change.id, step, now) and step.next_at is None:
            await _tell(page, session, change, step, now)


async def _tell(page: RunTransaction, session: RunSession, change: OrderChange, step: Step, now: datetime) -> None:
    # Settled either way. A refusal is one order's trouble: the run is partial and says the commonest.
    page.counts += Counts(updated=1)
    if step.code is not None and step.reason is not None:
        session.refusals[(step.code, step.reason)] += 1
    type_ = event_of(change.kind, step.stage)
    if type_ is not None:
        members: dict[str, str | int | None] = {
            "order_id": change.order_id,
            "channel_order_id": change.channel_order_id,
            "code": step.code,
        }
        event = Event(new_id("evt", now), session.integration.tenant, type_, session.integration.id, now, members)
        await page.work.events.add([event])


@asynccontextmanager
async def _in_doubt_without_outcome(session: RunSession, change: OrderChange) -> AsyncIterator[None]:
    """Around a call and the storing of its outcome: if there is none, the change is in doubt.

    It is noted whoever has the place of this run by now. A process that dies in here leaves the note that it wrote
    before the call. A reply that makes no sense is that order's trouble alone.
    """
    try:
        yield
    except ReplyNotUnderstood:
        await _note(session, change, doubtful(utcnow()))
    except RunLost:
        await _note(session, change, doubtful(utcnow()))
        raise
    except ChannelSyncError as error:
        await _note(session, change, doubtful(utcnow()) if may_have_landed(error) else waiting(utcnow()))
        raise


async def _note(session: RunSession, change: OrderChange, step: Step) -> None:
    async def once() -> None:
        async with session.database.begin() as work:
            await work.order_changes.take(change.id, step, utcnow())

    await until_stored(once, _STORE_PATIENCE_S)
