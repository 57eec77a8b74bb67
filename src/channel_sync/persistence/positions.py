"""Feed positions: one number after another per tenant, in the order of commits."""

from typing import Literal

from channel_sync.persistence.session import Session
from channel_sync.persistence.tables import positions

Feed = Literal["orders", "events"]


async def next_positions(session: Session, tenant: str, feed: Feed, count: int) -> range:
    """The next `count` positions of the feed.

    The tenant's row stays locked until the transaction ends, so nobody commits a higher position before us. Both
    feeds share the row: one lock cannot deadlock with itself.
    """
    column = positions.c[feed]
    fresh = {"tenant": tenant, "orders": 0, "events": 0, feed: count}
    last = await session.value(
        session.insert(positions)
        .values(fresh)
        .on_conflict_do_update(index_elements=["tenant"], set_={feed: column + count})
        .returning(column)
    )
    return range(last - count + 1, last + 1)
