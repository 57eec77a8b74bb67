import asyncio
from collections.abc import Sequence

import pytest

from channel_sync.flows.batching import Together


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
    together = Together(doubling)
    first = asyncio.create_task(together.do(2))
    await asyncio.sleep(0.005)
    others = [asyncio.create_task(together.do(number)) for number in (4, 6, 8)]

    assert await asyncio.gather(first, *others) == [4, 8, 12, 16]
    assert doubling.rounds == [[2], [4, 6, 8]]


async def test_a_round_has_its_size():
    doubling = Doubling()
    together = Together(doubling, at_once=2)

    assert await asyncio.gather(*(together.do(number) for number in (2, 4, 6, 8, 10))) == [4, 8, 12, 16, 20]
    assert doubling.rounds == [[2, 4], [6, 8], [10]]


async def test_a_refusal_is_for_its_caller_alone():
    together = Together(Doubling())
    odd, even = await asyncio.gather(together.do(1), together.do(2), return_exceptions=True)

    assert isinstance(odd, ValueError)
    assert even == 4


async def test_a_round_that_fails_fails_for_all_in_it_and_no_later_one():
    together = Together(Doubling())
    failed = await asyncio.gather(together.do(2), together.do(102), return_exceptions=True)

    assert [type(one) for one in failed] == [RuntimeError, RuntimeError]
    assert await together.do(2) == 4


async def test_who_stops_waiting_stops_nobody_else():
    together = Together(Doubling())
    impatient, patient = asyncio.create_task(together.do(2)), asyncio.create_task(together.do(4))
    await asyncio.sleep(0.005)
    impatient.cancel()

    assert await patient == 8
    with pytest.raises(asyncio.CancelledError):
        await impatient
