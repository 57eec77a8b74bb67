"""The outbound budget of each integration where several processes call: leased from one place, call by call.

As `limiter.Budgets`, with the same queue by priority and the same pauses; only the tokens come from elsewhere.
"""

import asyncio
import itertools
from bisect import bisect_left, insort
from collections.abc import Callable
from time import monotonic

from channel_sync.channels.wish.limiter import (
    BURST,
    BURST_S,
    IDLE_AFTER_S,
    LOOK_AGAIN_S,
    Backoff,
    ByIntegration,
    Ticket,
    refuse_long_pause,
)
from channel_sync.domain.budgets import Allowance, SharedBudget
from channel_sync.domain.channel import Wire

# What was leased and not used within this time is given up: two processes never save up two bursts.
_LEASED_FOR_S = 1.0


class _Share:
    """What this process holds of one integration's budget."""

    def __init__(self, now: float, jitter: Callable[[float], float]) -> None:
        self.backoff = Backoff(jitter)
        self.waiting: list[Ticket] = []
        self.calls = 0
        self.leased_at = now
        self.ask_at = now
        self.paused_until = now
        self.leasing: asyncio.Task[None] | None = None

    def is_turn(self, ticket: Ticket, now: float) -> bool:
        """Whether a leased call is left for this ticket, those before it served."""
        if now > self.leased_at + _LEASED_FOR_S:
            self.calls = 0
        return bisect_left(self.waiting, ticket) < self.calls

    def is_idle(self, now: float) -> bool:
        """Whether a new share would do as well."""
        return not self.waiting and now > max(self.paused_until, self.leased_at) + IDLE_AFTER_S


class SharedBudgets:
    """The budgets of all integrations, this process's part of them."""

    def __init__(
        self,
        shared: SharedBudget,
        rate: float,
        jitter: Callable[[float], float],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._shared = shared
        self._rate = rate
        self._burst = max(BURST, rate * BURST_S)
        self._clock = clock
        self._shares = ByIntegration(lambda now: _Share(now, jitter), clock)
        self._tickets = itertools.count()
        self._telling: set[asyncio.Task[None]] = set()

    async def turn(self, integration_id: str, wire: Wire) -> None:
        """Wait for this integration's next call; the wire's priority decides who is first in this process.

        A pause of more than half a minute is not slept through: ChannelUnavailable says when to come back.
        """
        share = self._shares.of(integration_id)
        ticket = (int(wire.priority), next(self._tickets))
        insort(share.waiting, ticket)
        try:
            while not share.is_turn(ticket, self._clock()):
                await self._wait(integration_id, share, wire)
            share.calls -= 1
        finally:
            wire.is_paused = False
            share.waiting.remove(ticket)

    async def _wait(self, integration_id: str, share: _Share, wire: Wire) -> None:
        """Until something may have changed."""
        now = self._clock()
        pause_s = share.paused_until - now
        refuse_long_pause(pause_s)
        wire.is_paused = pause_s > 0
        rest_s = max(pause_s, share.ask_at - now)
        if rest_s > 0:
            return await wire.sleep(min(rest_s, LOOK_AGAIN_S))
        if share.leasing is None:
            share.leasing = asyncio.create_task(self._lease(integration_id, share))
            share.leasing.add_done_callback(_heard)
        # One asks for all of them; who is cancelled leaves it to the others.
        await asyncio.shield(share.leasing)
        wire.check()

    async def _lease(self, integration_id: str, share: _Share) -> None:
        try:
            wanted = max(1, min(len(share.waiting) - share.calls, int(self._rate)))
            lease = await self._shared.lease(integration_id, wanted, self._allowance(share))
            now = self._clock()
            share.calls += lease.calls
            share.leased_at = now
            share.paused_until = max(share.paused_until, now + lease.pause_s)
            share.ask_at = now + lease.ask_again_s if lease.calls < wanted else now
        finally:
            share.leasing = None

    def pause(self, integration_id: str, seconds: float | None) -> float:
        """Wish refused a call for its rate: nobody of this integration calls for the seconds returned."""
        share, now = self._shares.of(integration_id), self._clock()
        share.paused_until = max(share.paused_until, now + share.backoff.refused(seconds))
        share.calls = 0
        pause_s = share.paused_until - now
        telling = asyncio.create_task(self._shared.pause(integration_id, pause_s, self._allowance(share)))
        self._telling.add(telling)
        telling.add_done_callback(self._told)
        return pause_s

    def _told(self, telling: asyncio.Task[None]) -> None:
        self._telling.discard(telling)
        # A store that is away keeps nobody from pausing here; the others are refused by Wish themselves.
        _heard(telling)

    def welcome(self, integration_id: str, remaining: int | None) -> None:
        """Wish took a call and may have said how many are left."""
        self._shares.of(integration_id).backoff.welcome(remaining)

    def _allowance(self, share: _Share) -> Allowance:
        return Allowance(self._rate * share.backoff.share, self._burst)


def _heard(done: asyncio.Task[None]) -> None:
    """An error is heard of even where nobody waits any more, for asyncio complains otherwise."""
    if not done.cancelled():
        done.exception()
