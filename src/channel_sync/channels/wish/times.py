"""Points in time as Wish writes and reads them."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from channel_sync.channels.wish.caps import EARLIEST

SHORTEST_WAIT_S, LONGEST_WAIT_S = 1.0, 600.0
# 10^9 seconds is 2001 and 10^11 milliseconds is 1973, so a number's size tells its unit.
_LONGEST_HEADER = 100
_EPOCH_SECONDS, _EPOCH_MILLISECONDS = 1e9, 1e11


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC; Wish's times without an offset are UTC. Raises OverflowError at the ends of time."""
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def plausible(moment: datetime) -> datetime | None:
    """The moment in UTC, if there was a Wish already; a year 1 is some system's word for none."""
    try:
        return as_utc(moment) if moment.year >= EARLIEST else None
    except OverflowError:
        return None


def query_time(moment: datetime) -> str:
    """A time for a query, with milliseconds as Wish prints them; finer ones are kept."""
    places = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=places) + "Z"


def wait_from_headers(reset: str | None, retry_after: str | None, now: datetime) -> float | None:
    """Seconds until Wish's limiter resets, 1 to 600; None when neither header can be understood.

    The format of Wish-Rate-Limit-Reset is not published (v3 document, July 2026), so all likely ones are read.
    """
    for text in (reset, retry_after):
        seconds = None if text is None or len(text) > _LONGEST_HEADER else _seconds_until(text.strip(), now)
        if seconds is not None:
            return min(max(seconds, SHORTEST_WAIT_S), LONGEST_WAIT_S)
    return None


def _seconds_until(text: str, now: datetime) -> float | None:
    number = _number(text)
    if number is None:
        moment = _moment(text)
        return None if moment is None else (moment - now).total_seconds()
    if number >= _EPOCH_MILLISECONDS:
        return number / 1000 - now.timestamp()
    return number - now.timestamp() if number >= _EPOCH_SECONDS else number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _moment(text: str) -> datetime | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return as_utc(parse(text))
        except (ValueError, OverflowError):
            continue
    return None
