import asyncio
from collections.abc import Sequence

import pytest

from channel_sync.flows.batching import Batcher


class Doubling:
    """Doubles numbers, and keeps the rounds it took. An odd one is refused; after 100 everything fails."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []

    async def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.rounds.append(list(items))
        await asyncio.sleep(0.01)
        if max(items) > 100:
            raise RuntimeError("all")
        return [ValueError("odd") if item % 2 else item * 2 for item in items]


async def test_who_comes_during_a_round_is_in_the_next():
    doubling = Doubling()
    batcher = Batcher(doubling)
    first = asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0.005)
    others = [asyncio.create_task(batcher.submit(number)) for number in (4, 6, 8)]

    assert await asyncio.gather(first, *others) == [4, 8, 12, 16]
    assert doubling.rounds == [[2], [4, 6, 8]]


async def test_a_round_has_its_size():
    doubling = Doubling()
    batcher = Batcher(doubling, batch_size=2)

    assert await asyncio.gather(*(batcher.submit(number) for number in (2, 4, 6, 8, 10))) == [4, 8, 12, 16, 20]
    assert doubling.rounds == [[2, 4], [6, 8], [10]]


async def test_a_refusal_is_for_its_caller_alone():
    batcher = Batcher(Doubling())
    odd, even = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)

    assert isinstance(odd, ValueError)
    assert even == 4


async def test_a_round_that_fails_fails_for_all_in_it_and_no_later_one():
    batcher = Batcher(Doubling())
    failed = await asyncio.gather(batcher.submit(2), batcher.submit(102), return_exceptions=True)

    assert [type(one) for one in failed] == [RuntimeError, RuntimeError]
    assert await batcher.submit(2) == 4


async def test_who_stops_waiting_stops_nobody_else():
    batcher = Batcher(Doubling())
    impatient, patient = asyncio.create_task(batcher.submit(2)), asyncio.create_task(batcher.submit(4))
    await asyncio.sleep(0.005)
    impatient.cancel()

    assert await patient == 8
    with pytest.raises(asyncio.CancelledError):
        await impatient
