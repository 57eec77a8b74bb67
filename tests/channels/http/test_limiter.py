import asyncio

import pytest
from tests.channels.factories import a_context
from tests.channels.limits import Clock, Purse, SkippingWire, no_jitter

from channel_sync.channels.http.call_sources import Bucket, LeasedCalls, OwnCalls
from channel_sync.channels.http.limiter import ByIntegration, Limiter
from channel_sync.domain.budgets import CallAllowance
from channel_sync.domain.calls import Priority
from channel_sync.domain.errors import ChannelUnavailable, RunStopped


def limiter_of(rate, clock=None):
    """A limiter of a process that shares its calls with no other."""
    return Limiter(OwnCalls(clock), rate, no_jitter, clock) if clock else Limiter(OwnCalls(), rate, no_jitter)


class Caller:
    """One that calls as often as it may, in a simulated time."""

    def __init__(self, rate, least_s=0.0):
        self.clock = Clock()
        self.limiter = limiter_of(rate, self.clock)
        self.context = SkippingWire(Priority.ORDERS, clock=self.clock, least_s=least_s)

    async def calls_in(self, seconds):
        """How many calls it makes."""
        made, end = 0, self.clock.now + seconds
        while True:
            await self.limiter.turn("int_1", self.context)
            if self.clock.now > end:
                return made
            made += 1

    async def pause(self, seconds):
        """A refusal that asks for so long a pause, or does not say; how long it is."""
        pause_s = self.limiter.pause("int_1", seconds)
        await asyncio.sleep(0)
        return pause_s


async def test_a_burst_of_ten_then_the_rate():
    caller = Caller(5)
    assert await caller.calls_in(0.1) == 10
    assert 49 <= await caller.calls_in(10.0) <= 51


async def test_a_late_wake_up_costs_no_rate_at_a_thousand_a_second():
    assert await Caller(1000, least_s=0.02).calls_in(2.0) >= 1950


async def test_integrations_do_not_share_a_budget():
    caller = Caller(1)
    for number in range(5):
        for _ in range(10):
            await caller.limiter.turn(f"int_{number}", caller.context)

    assert caller.clock.now == 0


async def test_orders_go_before_stock_and_stock_before_the_catalogue():
    limiter, served = limiter_of(50), []
    for _ in range(10):
        await limiter.turn("int_1", a_context())

    async def caller(priority):
        await limiter.turn("int_1", a_context(priority))
        served.append(priority)

    late_to_early = [Priority.CATALOGUE, Priority.STOCK, Priority.ORDERS, Priority.INTERACTIVE]
    await asyncio.gather(*(caller(priority) for priority in late_to_early))
    assert served == sorted(late_to_early)


async def test_a_cut_wire_wakes_at_once_and_leaves_no_place_in_the_queue():
    clock = Clock()
    limiter, context = limiter_of(0.01, clock), a_context(Priority.INTERACTIVE)
    for _ in range(10):
        await limiter.turn("int_1", context)
    waiting = asyncio.create_task(limiter.turn("int_1", context))
    await asyncio.sleep(0.01)
    context.cancel()
    with pytest.raises(RunStopped):
        await asyncio.wait_for(waiting, 5)
    clock.now += 100
    await asyncio.wait_for(limiter.turn("int_1", a_context()), 5)


async def test_a_pause_holds_every_call_until_it_is_over():
    caller = Caller(5)
    await caller.pause(20.0)
    assert await caller.calls_in(19.9) == 0
    assert caller.clock.now == pytest.approx(20.0)


async def test_after_a_pause_there_is_no_burst():
    caller = Caller(5)
    await caller.pause(20.0)
    assert await caller.calls_in(21.0) <= 6


async def test_pauses_of_unknown_length_double_up_to_a_minute():
    caller = Caller(5)
    lengths = []
    for _ in range(8):
        lengths.append(await caller.pause(None))
        caller.clock.now += lengths[-1]
    assert lengths == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_a_call_that_went_well_ends_the_doubling():
    caller = Caller(5)
    await caller.pause(None)
    caller.clock.now = 1.0
    await caller.pause(None)
    caller.limiter.welcome("int_1", remaining=None)
    caller.clock.now = 10.0
    assert await caller.pause(None) == 1


async def test_the_wire_tells_of_a_pause_while_its_call_waits_for_it():
    clock = Clock()
    limiter, context = limiter_of(5, clock), a_context()
    limiter.pause("int_1", 20.0)
    waiting = asyncio.create_task(limiter.turn("int_1", context))
    await asyncio.sleep(0.01)
    assert context.is_paused
    clock.now += 20
    await asyncio.wait_for(waiting, 5)
    assert not context.is_paused


async def test_a_full_queue_alone_is_no_pause():
    limiter, context = limiter_of(5, Clock()), a_context()
    for _ in range(10):
        await limiter.turn("int_1", context)
    waiting = asyncio.create_task(limiter.turn("int_1", context))
    await asyncio.sleep(0.01)
    assert not context.is_paused
    context.cancel()
    with pytest.raises(RunStopped):
        await waiting


async def test_a_long_pause_is_not_slept_through():
    limiter = limiter_of(5)
    limiter.pause("int_1", 200.0)
    with pytest.raises(ChannelUnavailable) as raised:
        await limiter.turn("int_1", a_context())
    assert raised.value.code == "rate_limited"
    assert raised.value.retry_after_s == pytest.approx(200, abs=1)


async def test_few_calls_left_mean_half_speed_until_there_are_more():
    caller = Caller(5)
    caller.limiter.welcome("int_1", remaining=100)
    caller.limiter.welcome("int_1", remaining=9)
    await caller.calls_in(0.1)
    assert 24 <= await caller.calls_in(10.0) <= 27
    caller.limiter.welcome("int_1", remaining=11)
    assert 49 <= await caller.calls_in(10.0) <= 52


def test_what_integrations_that_went_quiet_had_is_forgotten():
    clock = Clock()
    buckets = ByIntegration(Bucket, clock)
    for number in range(100):
        buckets.of(f"int_{number}").lease(1, CallAllowance(5, 10), clock.now)
    paused = buckets.of("int_7")
    paused.pause(600.0)
    clock.now += 500
    buckets.of("int_new")
    assert len(buckets) == 2
    assert buckets.of("int_7") is paused


async def test_a_pause_is_not_forgotten_while_it_lasts():
    clock = Clock()
    limiter = Limiter(LeasedCalls(Purse(calls=9), clock), 5, no_jitter, clock)
    limiter.pause("int_7", 600.0)
    clock.now += 500
    await limiter.turn("int_new", a_context())

    with pytest.raises(ChannelUnavailable) as refused:
        await limiter.turn("int_7", a_context())

    assert refused.value.retry_after_s == pytest.approx(100)
