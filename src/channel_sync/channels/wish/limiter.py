"""The outbound budget of each integration: a bucket of calls, a queue by priority, pauses when Wish asks for one.

aiolimiter has neither priorities nor pauses, and its wait could not be cut short, hence these lines of our own.
"""

import itertools
from bisect import bisect_left, insort
from collections.abc import Callable
from time import monotonic
from typing import Generic, Protocol, TypeVar

from channel_sync.domain.channel import Wire
from channel_sync.domain.errors import ChannelUnavailable

BURST = 10
# At high rates ten calls are less time than the event loop may be busy; this much of it is made up for.
BURST_S = 0.05
LONGEST_PAUSE_IN_PLACE_S = 30.0
LONGEST_BACK_OFF_S = 60.0
LOOK_AGAIN_S = 1.0
IDLE_AFTER_S = 60.0
_SWEEP_S = 60.0

Ticket = tuple[int, int]


class Backoff:
    """How much an integration's calls are held back, by what Wish answered to them."""

    def __init__(self, jitter: Callable[[float], float]) -> None:
        self.share = 1.0
        self._jitter = jitter
        self._refusals = 0
        self._most_remaining = 0

    def refused(self, seconds: float | None) -> float:
        """How long to pause: what Wish asked for, or 1, 2, 4 … 60 s with jitter."""
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


class Bucket:
    """One integration's budget. Times are monotonic seconds."""

    def __init__(self, rate: float, now: float, jitter: Callable[[float], float]) -> None:
        self.backoff = Backoff(jitter)
        self._rate = rate
        self._burst = max(BURST, rate * BURST_S)
        self._tokens = float(self._burst)
        self._filled_at = now
        self._paused_until = now
        self.waiting: list[Ticket] = []

    def delay(self, ticket: Ticket, now: float) -> float:
        """Seconds until the ticket's turn: a token for it and for everyone before it. Zero means now."""
        self._fill(now)
        tokens_short = bisect_left(self.waiting, ticket) + 1 - self._tokens
        return max(self.pause_left(now), tokens_short / (self._rate * self.backoff.share), 0.0)

    def take(self) -> None:
        """Use one token."""
        self._tokens -= 1

    def pause_left(self, now: float) -> float:
        """Seconds until calls are welcome again."""
        return max(0.0, self._paused_until - now)

    def pause(self, now: float, seconds: float | None) -> None:
        """Stop everyone for `seconds`; unknown means what the refusals so far tell."""
        self._paused_until = max(self._paused_until, now + self.backoff.refused(seconds))
        self._tokens, self._filled_at = 1.0, self._paused_until

    def is_idle(self, now: float) -> bool:
        """Whether a new bucket would do as well."""
        return not self.waiting and now > max(self._paused_until, self._filled_at) + IDLE_AFTER_S

    def _fill(self, now: float) -> None:
        if now > self._filled_at:
            filled = self._tokens + (now - self._filled_at) * self._rate * self.backoff.share
            self._tokens, self._filled_at = min(self._burst, filled), now


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


class Budgets:
    """The buckets of all integrations."""

    def __init__(
        self, rate: float, jitter: Callable[[float], float], clock: Callable[[], float] = monotonic
    ) -> None:
        self._clock = clock
        self._buckets = ByIntegration(lambda now: Bucket(rate, now, jitter), clock)
        self._tickets = itertools.count()

    async def turn(self, integration_id: str, wire: Wire) -> None:
        """Wait for this integration's next call; the wire's priority decides who is first.

        A pause of more than half a minute is not slept through: ChannelUnavailable says when to come back.
        """
        bucket = self._buckets.of(integration_id)
        ticket = (int(wire.priority), next(self._tickets))
        insort(bucket.waiting, ticket)
        try:
            while delay := bucket.delay(ticket, self._clock()):
                pause_s = bucket.pause_left(self._clock())
                refuse_long_pause(pause_s)
                wire.is_paused = pause_s > 0
                await wire.sleep(min(delay, LOOK_AGAIN_S))
            bucket.take()
        finally:
            wire.is_paused = False
            bucket.waiting.remove(ticket)

    def pause(self, integration_id: str, seconds: float | None) -> float:
        """Wish refused a call for its rate: nobody of this integration calls for the seconds returned."""
        bucket, now = self._buckets.of(integration_id), self._clock()
        bucket.pause(now, seconds)
        return bucket.pause_left(now)

    def welcome(self, integration_id: str, remaining: int | None) -> None:
        """Wish took a call and may have said how many are left."""
        self._buckets.of(integration_id).backoff.welcome(remaining)


def refuse_long_pause(seconds: float) -> None:
    """ChannelUnavailable for a pause that is too long to be slept through."""
    if seconds > LONGEST_PAUSE_IN_PLACE_S:
        raise ChannelUnavailable("rate_limited", "Wish asks us to wait.", retry_after_s=seconds)
