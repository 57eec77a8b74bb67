import asyncio

import pytest
from tests.channels.factories import a_context
from tests.channels.limits import Clock, Purse, no_jitter

from channel_sync.channels.http.call_sources import LeasedCalls
from channel_sync.channels.http.limiter import Limiter
from channel_sync.domain.budgets import CallAllowance
from channel_sync.domain.calls import Priority
from channel_sync.domain.errors import ChannelUnavailable, RunStopped, StorageUnavailable


def limiter_of(purse, rate=5, **clock):
    return Limiter(LeasedCalls(purse, **clock), rate, no_jitter, **clock)


async def test_a_call_is_leased_before_it_is_made():
    purse = Purse(calls=1)
    await limiter_of(purse).turn("int_1", a_context())

    assert purse.asked == [("int_1", 1, CallAllowance(5, 10))]


async def test_one_lease_serves_all_who_wait():
    purse = Purse(calls=4)
    limiter = limiter_of(purse)
    await asyncio.gather(*(limiter.turn("int_1", a_context()) for _ in range(4)))

    assert [wanted for _, wanted, _ in purse.asked] == [4]


async def test_who_finds_nothing_asks_again_when_told():
    purse = Purse(again_s=0.02)
    waiting = asyncio.create_task(limiter_of(purse).turn("int_1", a_context()))
    await asyncio.sleep(0.01)
    purse.calls = 1
    await asyncio.wait_for(waiting, 5)

    assert 2 <= len(purse.asked) <= 3


async def test_the_most_urgent_gets_the_first_call_that_is_left():
    purse, served = Purse(), []
    limiter = limiter_of(purse)

    async def caller(priority):
        await limiter.turn("int_1", a_context(priority))
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
    limiter = limiter_of(purse, clock=clock)
    impatient = [asyncio.create_task(limiter.turn("int_1", a_context())) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for one in impatient[1:]:
        one.cancel()
    await asyncio.wait(impatient)
    clock.now = 1.5
    await limiter.turn("int_1", a_context())

    assert [wanted for _, wanted, _ in purse.asked] == [3, 1]


async def test_a_refusal_pauses_all_processes():
    purse = Purse(calls=9)
    limiter = limiter_of(purse)

    assert limiter.pause("int_1", 20) == pytest.approx(20, abs=0.1)
    await asyncio.sleep(0)
    assert purse.paused == [("int_1", pytest.approx(20, abs=0.1))]
    context = a_context()
    waiting = asyncio.create_task(limiter.turn("int_1", context))
    await asyncio.sleep(0.02)
    assert context.is_paused
    waiting.cancel()


async def test_a_pause_holds_a_call_that_is_just_being_leased():
    purse, context = Purse(calls=1), a_context()
    limiter = limiter_of(purse)
    waiting = asyncio.create_task(limiter.turn("int_1", context))
    async with asyncio.timeout(5):
        while not purse.asked:
            await asyncio.sleep(0)
    limiter.pause("int_1", 20)
    await asyncio.sleep(0.02)

    assert (context.is_paused, purse.calls) == (True, 0)
    waiting.cancel()


async def test_a_pause_of_another_process_is_kept_here():
    purse = Purse(calls=9)
    purse.pause_s = 200
    with pytest.raises(ChannelUnavailable) as refused:
        await limiter_of(purse).turn("int_1", a_context())

    assert refused.value.retry_after_s == pytest.approx(200, abs=1)


async def test_a_cut_wire_wakes_at_once():
    purse, context = Purse(again_s=60), a_context()
    waiting = asyncio.create_task(limiter_of(purse).turn("int_1", context))
    await asyncio.sleep(0.01)
    context.cancel()
    with pytest.raises(RunStopped):
        await asyncio.wait_for(waiting, 5)


async def test_a_store_that_is_away_is_said_so_and_asked_again_later():
    purse = Purse(calls=9)
    limiter = limiter_of(purse)
    purse.error = StorageUnavailable()
    with pytest.raises(StorageUnavailable):
        await limiter.turn("int_1", a_context())
    purse.error = None

    await limiter.turn("int_1", a_context())


async def test_few_calls_left_at_wish_halve_the_rate():
    purse = Purse(calls=9)
    limiter = limiter_of(purse)
    limiter.welcome("int_1", 100)
    limiter.welcome("int_1", 9)
    await limiter.turn("int_1", a_context())

    assert purse.asked[0][2] == CallAllowance(2.5, 10)
