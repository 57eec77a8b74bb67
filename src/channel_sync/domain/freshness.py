"""How old our copies are."""

from datetime import datetime


def orders_lag_s(seen_until: datetime | None, cursor: datetime | None, now: datetime) -> int | None:
    """The age of the oldest order change that may be missing, in whole seconds; None before anything is known.

    We have every change up to the last look that came to the end of the marketplace's list, `seen_until`, or up to
    the newest order of a download that is still on its way there, the `cursor`. A time that has not come yet says
    nothing about what we have.
    """
    known = [moment for moment in (seen_until, cursor) if moment is not None and moment <= now]
    return int((now - max(known)).total_seconds()) if known else None
