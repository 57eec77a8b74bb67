"""The outbound calls of each integration: a queue by priority, pauses when the marketplace asks for one.

aiolimiter has neither priorities nor pauses, and its wait could not be cut short, hence these lines of our own.
"""

import asyncio
import itertools
from bisect import bisect_left, insort
from collections.abc import Callable
from time import monotonic
from typing import Generic, Protocol, TypeVar

from channel_sync.domain.budgets import CallAllowance, CallLease
from channel_sync.domain.calls import CallContext
from channel_sync.domain.errors import RateLimited

BURST = 10
# At high rates ten calls are less time than the event loop may be busy; this much of it is made up for.
BURST_S = 0.05
LONGEST_PAUSE_IN_PLACE_S = 30.0
LONGEST_BACK_OFF_S = 60.0
LOOK_AGAIN_S = 1.0
IDLE_AFTER_S = 60.0
# What was leased and not used within this time is given up: two processes never save up two bursts.
_LEASED_FOR_S = 1.0
_SWEEP_S = 60.0

Ticket = tuple[int, int]


class Backoff:
    """How much an integration's calls are held back, by what the marketplace answered to them."""

    def __init__(self, jitter: Callable[[float], float]) -> None:
        self.share = 1.0
        self._jitter = jitter
        self._refusals = 0
        self._most_remaining = 0

    def refused(self, seconds: float | None) -> float:
        """How long to pause: what the marketplace asked for, or 1, 2, 4 … 60 s with jitter."""
        if seconds is None:
            seconds = self._jitter(min(2.0**self._refusals, LONGEST_BACK_OFF_S))
        self._refusals = min(self._refusals + 1, 10)
        return seconds

    def welcome(self, remaining: int | None) -> None:
        """Note an answer that was no refusal: below a tenth of the most ever left we go at half speed."""
        self._refusals = 0
        if remaining is not None:
            self._most_remaining = max(self._most_remaining, remaining)
            self.share = 0.5 if remaining < self._most_remaining / 10 else 1.0


class Queue:
    """Who waits for a call of one integration, and the calls that are there for them.

    Times are monotonic seconds, `rate` is in calls a second.
    """

    def __init__(self, rate: float, jitter: Callable[[float], float], now: float) -> None:
        self.backoff = Backoff(jitter)
        self.waiting: list[Ticket] = []
        self.leasing: asyncio.Task[None] | None = None
        self._rate = rate
        self._calls = 0
        self._leased_at = now
        self._ask_at = now
        self._paused_until = now

    @property
    def wanted(self) -> int:
        """How many calls to lease for those who wait."""
        return max(1, min(len(self.waiting) - self._calls, int(self._rate)))

    @property
    def allowance(self) -> CallAllowance:
        """What the integration may spend, by what the marketplace answered lately."""
        return CallAllowance(self._rate * self.backoff.share, max(BURST, self._rate * BURST_S))

    def is_turn(self, ticket: Ticket, now: float) -> bool:
        """Whether a leased call is left for this ticket, those before it served; in a pause none is."""
        if now > self._leased_at + _LEASED_FOR_S or now < self._paused_until:
            self._calls = 0
        return bisect_left(self.waiting, ticket) < self._calls

    def take(self) -> None:
        """Use one call."""
        self._calls -= 1

    def add(self, lease: CallLease, wanted: int, now: float) -> None:
        """Note what was leased where so many calls were wanted."""
        self._calls += lease.calls
        self._leased_at = now
        self._paused_until = max(self._paused_until, now + lease.pause_s)
        self._ask_at = now + lease.ask_again_s if lease.calls < wanted else now

    def pause(self, seconds: float | None, now: float) -> None:
        """Stop everyone for `seconds`; unknown means what the refusals so far tell."""
        self._paused_until = max(self._paused_until, now + self.backoff.refused(seconds))

    def pause_left(self, now: float) -> float:
        """Seconds until calls are welcome again."""
        return max(0.0, self._paused_until - now)

    def rest_left(self, now: float) -> float:
        """Seconds until asking for calls is of any use."""
        return max(self._paused_until, self._ask_at) - now

    def is_idle(self, now: float) -> bool:
        """Whether a new queue would do as well."""
        return not self.waiting and now > max(self._paused_until, self._leased_at) + IDLE_AFTER_S


class CallSource(Protocol):
    """Where calls come from: that is all that limiters differ in."""

    def ask(self, integration_id: str, queue: Queue) -> None:
        """Add to the queue what it may have, now or in a task that is its `leasing` until then."""
        ...

    def pause(self, integration_id: str, queue: Queue) -> None:
        """Give out none of the integration as long as its queue is paused."""
        ...


class Idler(Protocol):
    """What may be of no use any more."""

    def is_idle(self, now: float) -> bool:
        """Whether a new one would do as well."""
        ...


T = TypeVar("T", bound=Idler)


class ByIntegration(Generic[T]):
    """What is kept for each integration: made when it is first asked for, forgotten once it is idle."""

    def __init__(self, make: Callable[[float], T], clock: Callable[[], float]) -> None:
        self._make = make
        self._clock = clock
        self._kept: dict[str, T] = {}
        self._swept_at = clock()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, integration_id: str) -> T:
        """That of the integration."""
        now = self._clock()
        if now >= self._swept_at + _SWEEP_S:
            self._swept_at = now
            self._kept = {id: one for id, one in self._kept.items() if not one.is_idle(now)}
        found = self._kept.get(integration_id)
        if found is None:
            found = self._kept[integration_id] = self._make(now)
        return found


class Limiter:
    """The queues of all integrations in this process. A source gives out their calls, `rate` of them a second."""

    def __init__(
        self,
        source: CallSource,
        rate: float,
        jitter: Callable[[float], float],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._source = source
        self._clock = clock
        self._queues = ByIntegration(lambda now: Queue(rate, jitter, now), clock)
        self._tickets = itertools.count()

    async def turn(self, integration_id: str, context: CallContext) -> None:
        """Wait for this integration's next call; the context's priority decides who is first in this process.

        A pause of more than half a minute is not slept through: RateLimited says when to come back.
        """
        queue = self._queues.of(integration_id)
        ticket = (int(context.priority), next(self._tickets))
        insort(queue.waiting, ticket)
        try:
            while not queue.is_turn(ticket, self._clock()):
                await self._wait(integration_id, queue, context)
            queue.take()
        finally:
            context.is_paused = False
            queue.waiting.remove(ticket)

    async def _wait(self, integration_id: str, queue: Queue, context: CallContext) -> None:
        """Until something may have changed."""
        now = self._clock()
        pause_s, rest_s = queue.pause_left(now), queue.rest_left(now)
        if pause_s > LONGEST_PAUSE_IN_PLACE_S:
            raise RateLimited("The marketplace asks us to wait.", retry_after_s=pause_s)
        context.is_paused = pause_s > 0
        if rest_s > 0:
            return await context.sleep(min(rest_s, LOOK_AGAIN_S))
        if queue.leasing is None:
            self._source.ask(integration_id, queue)
        if queue.leasing is not None:
            # One asks for all of them; who is cancelled leaves it to the others.
            await asyncio.shield(queue.leasing)
            context.raise_if_cancelled()

    def pause(self, integration_id: str, seconds: float | None) -> float:
        """A call was refused for its rate: nobody of this integration calls for the seconds returned."""
        queue, now = self._queues.of(integration_id), self._clock()
        queue.pause(seconds, now)
        self._source.pause(integration_id, queue)
        return queue.pause_left(now)

    def welcome(self, integration_id: str, remaining: int | None) -> None:
        """The marketplace took a call and may have said how many are left."""
        self._queues.of(integration_id).backoff.welcome(remaining)
