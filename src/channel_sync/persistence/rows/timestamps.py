"""Points in time as they are stored."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from channel_sync.domain.clock_skew import CLOCK_SKEW

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SKEW_MICROS = CLOCK_SKEW // _MICROSECOND


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970; a naive moment is a TypeError."""
    return (moment - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=8192)
def moment(microseconds: int) -> datetime:
    """The aware UTC moment that `micros` came from."""
    return _EPOCH + timedelta(microseconds=microseconds)
