import asyncio

import pytest
from tests.channels.factories import a_wire

from channel_sync.channels.wish.limiter import Bucket, Budgets, ByIntegration
from channel_sync.domain.channel import Priority
from channel_sync.domain.errors import ChannelUnavailable, RunStopped

FIRST = (1, 0)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def no_jitter(seconds):
    return seconds


def calls_in(bucket, seconds, start=0.0, step=0.01):
    """How many calls one eager caller makes in a simulated time."""
    made, now = 0, start
    while now < start + seconds:
        if bucket.delay(FIRST, now) <= 0:
            bucket.take()
            made += 1
        else:
            now += step
    return made


def test_a_burst_of_ten_then_the_rate():
    bucket = Bucket(5, 0.0, no_jitter)
    assert calls_in(bucket, 0.01) == 10
    assert 49 <= calls_in(bucket, 10.0, start=0.01) <= 51


def test_a_late_wake_up_costs_no_rate_at_a_thousand_a_second():
    assert calls_in(Bucket(1000, 0.0, no_jitter), 2.0, step=0.02) >= 1950


async def test_integrations_do_not_share_a_budget():
    budgets, wire = Budgets(1, no_jitter), a_wire()
    for number in range(5):
        for _ in range(10):
            await asyncio.wait_for(budgets.turn(f"int_{number}", wire), 5)


async def test_orders_go_before_stock_and_stock_before_the_catalogue():
    budgets, served = Budgets(50, no_jitter), []
    for _ in range(10):
        await budgets.turn("int_1", a_wire())

    async def caller(priority):
        await budgets.turn("int_1", a_wire(priority))
        served.append(priority)

    late_to_early = [Priority.CATALOGUE, Priority.STOCK, Priority.ORDERS, Priority.INTERACTIVE]
    await asyncio.gather(*(caller(priority) for priority in late_to_early))
    assert served == sorted(late_to_early)


async def test_a_cut_wire_wakes_at_once_and_leaves_no_place_in_the_queue():
    clock = Clock()
    budgets, wire = Budgets(0.01, no_jitter, clock), a_wire(Priority.INTERACTIVE)
    for _ in range(10):
        await budgets.turn("int_1", wire)
    waiting = asyncio.create_task(budgets.turn("int_1", wire))
    await asyncio.sleep(0.01)
    wire.cut()
    with pytest.raises(RunStopped):
        await asyncio.wait_for(waiting, 5)
    clock.now += 100
    await asyncio.wait_for(budgets.turn("int_1", a_wire()), 5)


def test_a_pause_holds_every_call_until_it_is_over():
    bucket = Bucket(5, 0.0, no_jitter)
    bucket.pause(0.0, 20.0)
    assert bucket.delay(FIRST, 19.0) == pytest.approx(1.0)
    assert bucket.delay(FIRST, 20.0) == 0


def test_after_a_pause_there_is_no_burst():
    bucket = Bucket(5, 0.0, no_jitter)
    bucket.pause(0.0, 20.0)
    assert calls_in(bucket, 1.0, start=20.0) <= 6


def test_pauses_of_unknown_length_double_up_to_a_minute():
    bucket = Bucket(5, 0.0, no_jitter)
    lengths: list[float] = []
    for _ in range(8):
        bucket.pause(1000.0 * len(lengths), None)
        lengths.append(bucket.pause_left(1000.0 * len(lengths)))
    assert lengths == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_call_that_went_well_ends_the_doubling():
    bucket = Bucket(5, 0.0, no_jitter)
    bucket.pause(0.0, None)
    bucket.pause(1.0, None)
    bucket.backoff.welcome(remaining=None)
    bucket.pause(10.0, None)
    assert bucket.pause_left(10.0) == 1


async def test_the_wire_tells_of_a_pause_while_its_call_waits_for_it():
    clock = Clock()
    budgets, wire = Budgets(5, no_jitter, clock), a_wire()
    budgets.pause("int_1", 20.0)
    waiting = asyncio.create_task(budgets.turn("int_1", wire))
    await asyncio.sleep(0.01)
    assert wire.is_paused
    clock.now += 20
    await asyncio.wait_for(waiting, 5)
    assert not wire.is_paused


async def test_a_full_queue_alone_is_no_pause():
    budgets, wire = Budgets(5, no_jitter, Clock()), a_wire()
    for _ in range(10):
        await budgets.turn("int_1", wire)
    waiting = asyncio.create_task(budgets.turn("int_1", wire))
    await asyncio.sleep(0.01)
    assert not wire.is_paused
    wire.cut()
    with pytest.raises(RunStopped):
        await waiting


async def test_a_long_pause_is_not_slept_through():
    budgets = Budgets(5, no_jitter)
    budgets.pause("int_1", 200.0)
    with pytest.raises(ChannelUnavailable) as raised:
        await budgets.turn("int_1", a_wire())
    assert raised.value.code == "rate_limited"
    assert raised.value.retry_after_s == pytest.approx(200, abs=1)


def test_few_calls_left_mean_half_speed_until_there_are_more():
    bucket = Bucket(5, 0.0, no_jitter)
    bucket.backoff.welcome(remaining=100)
    bucket.backoff.welcome(remaining=9)
    calls_in(bucket, 0.01)
    assert 24 <= calls_in(bucket, 10.0, start=0.01) <= 27
    bucket.backoff.welcome(remaining=11)
    assert 49 <= calls_in(bucket, 10.0, start=10.01) <= 52


def test_budgets_of_integrations_that_went_quiet_are_forgotten():
    clock = Clock()
    buckets = ByIntegration(lambda now: Bucket(5, now, no_jitter), clock)
    for number in range(100):
        buckets.of(f"int_{number}").take()
    paused = buckets.of("int_7")
    paused.pause(clock.now, 600.0)
    clock.now += 500
    buckets.of("int_new")
    assert len(buckets) == 2
    assert buckets.of("int_7") is paused
