"""How far a time from outside may be ahead of ours before nobody believes it."""

from datetime import datetime, timedelta

CLOCK_SKEW = timedelta(minutes=1)


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether a moment is in the future, by more than two clocks may be apart."""
    return moment - now > CLOCK_SKEW
