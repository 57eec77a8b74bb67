import asyncio

import pytest
from tests.channels.factories import a_wire

from channel_sync.channels.wish.shared_limiter import SharedBudgets
from channel_sync.domain.budgets import Allowance, Lease
from channel_sync.domain.channel import Priority
from channel_sync.domain.errors import ChannelUnavailable, RunStopped, StorageUnavailable


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Purse:
    """A shared budget with a fixed number of calls in it; what is not there comes after a while."""

    def __init__(self, calls=0, again_s=0.01):
        self.calls = calls
        self.again_s = again_s
        self.asked = []
        self.paused = []
        self.pause_s = 0.0
        self.error = None

    async def lease(self, integration_id, wanted, allowance):
        self.asked.append((integration_id, wanted, allowance))
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        given = 0 if self.pause_s else min(wanted, self.calls)
        self.calls -= given
        return Lease(given, self.again_s, self.pause_s)

    async def pause(self, integration_id, seconds, allowance):
        self.paused.append((integration_id, seconds))


def no_jitter(seconds):
    return seconds


def budgets_of(purse, rate=5, **options):
    return SharedBudgets(purse, rate, no_jitter, **options)


async def test_a_call_is_leased_before_it_is_made():
    purse = Purse(calls=1)
    await budgets_of(purse).turn("int_1", a_wire())

    assert purse.asked == [("int_1", 1, Allowance(5, 10))]


async def test_one_lease_serves_all_who_wait():
    purse = Purse(calls=4)
    budgets = budgets_of(purse)
    await asyncio.gather(*(budgets.turn("int_1", a_wire()) for _ in range(4)))

    assert [wanted for _, wanted, _ in purse.asked] == [4]


async def test_who_finds_nothing_asks_again_when_told():
    purse = Purse(again_s=0.02)
    waiting = asyncio.create_task(budgets_of(purse).turn("int_1", a_wire()))
    await asyncio.sleep(0.01)
    purse.calls = 1
    await asyncio.wait_for(waiting, 5)

    assert 2 <= len(purse.asked) <= 3


async def test_the_most_urgent_gets_the_first_call_that_is_left():
    purse, served = Purse(), []
    budgets = budgets_of(purse)

    async def caller(priority):
        await budgets.turn("int_1", a_wire(priority))
        served.append(priority)

    late_to_early = [Priority.CATALOGUE, Priority.STOCK, Priority.ORDERS, Priority.INTERACTIVE]
    callers = [asyncio.create_task(caller(priority)) for priority in late_to_early]
    for number in range(1, 5):
        purse.calls = 1
        async with asyncio.timeout(5):
            while len(served) < number:
                await asyncio.sleep(0.005)
    await asyncio.gather(*callers)

    assert served == sorted(late_to_early)


async def test_a_lease_that_is_not_used_is_given_up_after_a_second():
    clock, purse = Clock(), Purse(calls=5)
    budgets = budgets_of(purse, clock=clock)
    impatient = [asyncio.create_task(budgets.turn("int_1", a_wire())) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for one in impatient[1:]:
        one.cancel()
    await asyncio.wait(impatient)
    clock.now = 1.5
    await budgets.turn("int_1", a_wire())

    assert [wanted for _, wanted, _ in purse.asked] == [3, 1]


async def test_a_refusal_pauses_all_processes():
    purse = Purse(calls=9)
    budgets = budgets_of(purse)

    assert budgets.pause("int_1", 20) == pytest.approx(20, abs=0.1)
    await asyncio.sleep(0)
    assert purse.paused == [("int_1", pytest.approx(20, abs=0.1))]
    wire = a_wire()
    waiting = asyncio.create_task(budgets.turn("int_1", wire))
    await asyncio.sleep(0.02)
    assert wire.is_paused
    waiting.cancel()


async def test_a_pause_of_another_process_is_kept_here():
    purse = Purse(calls=9)
    purse.pause_s = 200
    with pytest.raises(ChannelUnavailable) as refused:
        await budgets_of(purse).turn("int_1", a_wire())

    assert refused.value.retry_after_s == pytest.approx(200, abs=1)


async def test_a_cut_wire_wakes_at_once():
    purse, wire = Purse(again_s=60), a_wire()
    waiting = asyncio.create_task(budgets_of(purse).turn("int_1", wire))
    await asyncio.sleep(0.01)
    wire.cut()
    with pytest.raises(RunStopped):
        await asyncio.wait_for(waiting, 5)


async def test_a_store_that_is_away_is_said_so_and_asked_again_later():
    purse = Purse(calls=9)
    budgets = budgets_of(purse)
    purse.error = StorageUnavailable()
    with pytest.raises(StorageUnavailable):
        await budgets.turn("int_1", a_wire())
    purse.error = None

    await budgets.turn("int_1", a_wire())


async def test_few_calls_left_at_wish_halve_the_rate():
    purse = Purse(calls=9)
    budgets = budgets_of(purse)
    budgets.welcome("int_1", 100)
    budgets.welcome("int_1", 9)
    await budgets.turn("int_1", a_wire())

    assert purse.asked[0][2] == Allowance(2.5, 10)
