"""Orders that the marketplace dates in the future, and what they must not move."""

from collections.abc import Iterator
from datetime import datetime

from channel_sync.domain.clock_skew import CLOCK_SKEW
from channel_sync.flows.orders.prepare import ReadyPage
from channel_sync.persistence.rows.timestamps import micros, moment


def has_dated_ahead(page: ReadyPage, came_at: datetime) -> bool:
    """Whether an order of the page, readable or not, is dated later than it can have been changed."""
    latest = micros(came_at + CLOCK_SKEW)
    return any(time > latest for time in _times(page))


def reached(page: ReadyPage, came_at: datetime) -> datetime | None:
    """The newest time of the page's orders that can be believed."""
    latest = micros(came_at + CLOCK_SKEW)
    newest = max((time for time in _times(page) if time <= latest), default=None)
    return None if newest is None else moment(newest)


def _times(page: ReadyPage) -> Iterator[int]:
    yield from (row.channel_updated_at for row in page.rows)
    yield from (micros(held.updated_at) for held in page.unreadable if held.updated_at is not None)
