"""How many runs are at work at once, lane by lane, so that slow work of one kind never holds up another."""

from channel_sync.domain.runs import Lane

# A person who waits finds a seat whatever else is going on.
_URGENT_SLOTS = 8
# Each keeps a few pages in memory for as long as a backfill takes.
_BACKFILL_SLOTS = 4


def slots(concurrency: int) -> dict[Lane, int]:
    """Runs at once in each lane of one process, of which `concurrency` calls at once reach the marketplace."""
    return {
        Lane.URGENT: _URGENT_SLOTS,
        Lane.ORDERS: concurrency,
        Lane.GOODS: concurrency,
        Lane.BACKFILL: _BACKFILL_SLOTS,
    }
