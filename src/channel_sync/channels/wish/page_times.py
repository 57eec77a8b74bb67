"""Where to go on after a page: Wish pages by time alone (v3 document 3.0.65, July 2026), and times may be wrong.

A few rows whose time is before the window or ahead of our clock stand where Wish sorted them, whatever they show;
the others lead on. A list that begins with the newest order is walked to the oldest. Only where nothing else is
left is a time in the future gone on from, and only in this walk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from channel_sync.channels.wish.rows import Text, is_usual, loose_members, loose_value, rows_of
from channel_sync.channels.wish.times import plausible
from channel_sync.domain.clock_skew import is_ahead
from channel_sync.domain.orders import OrderQuery, OrderWindow

# Wish keeps times to the millisecond, so nothing lies between one and the next.
TICK = timedelta(milliseconds=1)

# Of a query along a list that turned out to begin with the newest order.
_DOWN = "newest first"

Times = Sequence[datetime | None]


class _Updated(msgspec.Struct, gc=False):
    at: datetime | None = msgspec.field(name="updated_at", default=None)


class _Released(msgspec.Struct, gc=False):
    at: datetime | None = msgspec.field(name="released_at", default=None)


_PAGES: dict[OrderWindow, msgspec.json.Decoder[list[_Updated]] | msgspec.json.Decoder[list[_Released]]] = {
    OrderWindow.UPDATED: msgspec.json.Decoder(list[_Updated]),
    OrderWindow.RELEASED: msgspec.json.Decoder(list[_Released]),
}
_ROWS: dict[OrderWindow, msgspec.json.Decoder[_Updated] | msgspec.json.Decoder[_Released]] = {
    OrderWindow.UPDATED: msgspec.json.Decoder(_Updated),
    OrderWindow.RELEASED: msgspec.json.Decoder(_Released),
}
_TIME = msgspec.json.Decoder(datetime)


@dataclass(frozen=True, slots=True)
class Way:
    """How to go on after a page. Where it is `stuck_at` an instant, asking again may bring the same page again."""

    next: OrderQuery | None
    in_order: bool
    stuck_at: datetime | None = None


def times_in(page: Text, window: OrderWindow) -> Times:
    """The time of each row, None where there is none that can be."""
    try:
        rows = _PAGES[window].decode(page) if is_usual(page) else None
    except (ValueError, RecursionError):
        rows = None
    if rows is None:
        return [_time_of(row, window) for row in rows_of(page)]
    return [None if row.at is None else plausible(row.at) for row in rows]


def _time_of(row: bytes, window: OrderWindow) -> datetime | None:
    """Of a row that no decoder may take as a whole."""
    try:
        at = _ROWS[window].decode(row).at
    except (ValueError, RecursionError):
        at = loose_value(loose_members(row), f"{window}_at", _TIME)
    return None if at is None else plausible(at)


def way_on(times: Times, query: OrderQuery, is_full: bool, now: datetime) -> Way:
    """Where to go on from the times of a page's rows, in its order."""
    known = [time for time in times if time is not None]
    within = [time for time in known if query.since - time < TICK]
    ahead = [time for time in within if is_ahead(time, now)]
    zone = [time for time in within if not is_ahead(time, now)] or ahead
    if len(within) < len(known) / 2:
        return Way(None, False)
    if query.page == _DOWN or not _ascends(zone):
        return _way_down(zone, query, is_full)
    if not zone:
        return Way(None, True)
    if is_full and zone[0] == zone[-1] and len(zone) > len(known) / 2:
        return Way(_past(query, zone[0]), True, zone[0])
    # What is not ahead has all been seen already: only what is can be left.
    position = max(ahead) if is_full and ahead and zone[-1] <= query.since else zone[-1]
    return Way(from_(query, position), True)


def _way_down(zone: Sequence[datetime], query: OrderQuery, is_full: bool) -> Way:
    """Where to go on in a list that begins with the newest order: towards the oldest, for it shows no other way.

    What changes meanwhile goes to its beginning, and is for the next walk. In no order at all nothing leads on.
    """
    if not is_full or not zone or not _ascends(zone[::-1]):
        return Way(None, False)
    is_stuck = zone[0] == zone[-1]
    until = zone[-1] - TICK if is_stuck else zone[-1]
    following = replace(query, until=until, page=_DOWN) if until >= query.since else None
    return Way(following, False, zone[-1] if is_stuck else None)


def from_(query: OrderQuery, since: datetime) -> OrderQuery | None:
    """The query from a moment on, if its window reaches so far."""
    return None if query.until is not None and since > query.until else replace(query, since=since)


def _past(query: OrderQuery, instant: datetime) -> OrderQuery | None:
    try:
        return from_(query, instant + TICK)
    except OverflowError:
        return None


def _ascends(times: Sequence[datetime]) -> bool:
    return all(a <= b for a, b in pairwise(times))
