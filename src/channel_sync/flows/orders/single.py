"""One order asked for by itself, where lists do not say how it stands."""

from datetime import datetime
from functools import partial

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import NotAtChannel
from channel_sync.domain.runs import Counts
from channel_sync.flows.orders.prepare import ReadyPage, ready
from channel_sync.flows.orders.store import context_of, store_page
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.database import UnitOfWork


async def store_single(session: RunSession, channel_order_id: str) -> Counts:
    """What asking for it brought: it is stored as the marketplace shows it now, whatever its time says."""
    asked_at = utcnow()
    try:
        page = await session.call(lambda shop: shop.order(channel_order_id))
    except NotAtChannel:
        return Counts()
    fresh = ready(page, context_of(session.integration, session.account), session.database.personal)
    return await session.keep(partial(_store, session, fresh, asked_at))


async def _store(session: RunSession, fresh: ReadyPage, asked_at: datetime, work: UnitOfWork) -> Counts:
    return await store_page(work, session.integration, session.account, fresh, asked_at=asked_at)
