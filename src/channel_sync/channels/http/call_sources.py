"""Where calls come from: memory where a process shares them with no other, else a budget shared by all of them."""

import asyncio
from collections.abc import Callable
from math import inf
from time import monotonic

from channel_sync.channels.http.limiter import IDLE_AFTER_S, ByIntegration, Queue
from channel_sync.domain.budgets import CallAllowance, CallLease, SharedBudget

# A call that is there but for so much of it is there: waiting for the rest would be waiting for a rounding error.
_ROUNDING = 1e-9


class Bucket:
    """The calls of one integration, as many as may be saved up at first. Times are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._calls = inf
        # In the future while nobody may call.
        self._filled_at = now

    def lease(self, wanted: int, allowance: CallAllowance, now: float) -> CallLease:
        """Up to so many calls."""
        if now < self._filled_at:
            return CallLease(0, pause_s=self._filled_at - now)
        filled = self._calls + (now - self._filled_at) * allowance.rate_per_s
        given = min(wanted, int(min(allowance.burst, filled) + _ROUNDING))
        self._calls, self._filled_at = min(allowance.burst, filled) - given, now
        return CallLease(given, ask_again_s=max(0.0, (1 - self._calls) / allowance.rate_per_s))

    def pause(self, until: float) -> None:
        """Give nothing out before then, and no burst afterwards."""
        self._calls, self._filled_at = 1.0, max(self._filled_at, until)

    def is_idle(self, now: float) -> bool:
        """Whether a new bucket would do as well."""
        return now > self._filled_at + IDLE_AFTER_S


class OwnCalls:
    """A bucket for each integration."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._buckets = ByIntegration(Bucket, clock)

    def ask(self, integration_id: str, queue: Queue) -> None:
        """Add to the queue what it may have."""
        wanted, now = queue.wanted, self._clock()
        queue.add(self._buckets.of(integration_id).lease(wanted, queue.allowance, now), wanted, now)

    def pause(self, integration_id: str, queue: Queue) -> None:
        """Give out none of the integration as long as its queue is paused."""
        now = self._clock()
        self._buckets.of(integration_id).pause(now + queue.pause_left(now))


class LeasedCalls:
    """Calls leased from a budget that several processes share."""

    def __init__(self, shared: SharedBudget, clock: Callable[[], float] = monotonic) -> None:
        self._shared = shared
        self._clock = clock
        self._telling: set[asyncio.Task[None]] = set()

    def ask(self, integration_id: str, queue: Queue) -> None:
        """Lease, in a task, for everybody who waits when it begins."""
        queue.leasing = asyncio.create_task(self._lease(integration_id, queue))
        queue.leasing.add_done_callback(_heard)

    async def _lease(self, integration_id: str, queue: Queue) -> None:
        wanted = queue.wanted
        try:
            lease = await self._shared.lease(integration_id, wanted, queue.allowance)
            queue.add(lease, wanted, self._clock())
        finally:
            queue.leasing = None

    def pause(self, integration_id: str, queue: Queue) -> None:
        """Tell the other processes; a store that is away keeps nobody from pausing here."""
        pause_s = queue.pause_left(self._clock())
        telling = asyncio.create_task(self._shared.pause(integration_id, pause_s, queue.allowance))
        self._telling.add(telling)
        telling.add_done_callback(self._told)

    def _told(self, telling: asyncio.Task[None]) -> None:
        self._telling.discard(telling)
        _heard(telling)


def _heard(done: asyncio.Task[None]) -> None:
    """An error is heard of even where nobody waits any more, for asyncio complains otherwise."""
    if not done.cancelled():
        done.exception()
