import asyncio
from contextlib import aclosing

import pytest

from channel_sync.flows.one_ahead import one_ahead


class Maker:
    """Makes numbers, and knows which it has begun and whether it was left to its end."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.begun: list[int] = []
        self.is_over = False
        self._fails_at = fails_at

    async def numbers(self):
        try:
            for number in range(4):
                self.begun.append(number)
                await asyncio.sleep(0)
                if number == self._fails_at:
                    raise ValueError(number)
                yield number
        finally:
            self.is_over = True


async def test_each_is_made_while_the_one_before_it_is_used():
    maker, seen = Maker(), []
    async for number in one_ahead(maker.numbers()):
        await asyncio.sleep(0.01)
        seen.append((number, maker.begun[-1]))
    assert seen == [(0, 1), (1, 2), (2, 3), (3, 3)]


async def test_what_fails_is_told_after_what_was_made_before():
    seen = []

    async def use() -> None:
        async for number in one_ahead(Maker(fails_at=2).numbers()):
            await asyncio.sleep(0.01)
            seen.append(number)

    with pytest.raises(ValueError, match="2"):
        await use()
    assert seen == [0, 1]


async def test_closed_early_nothing_more_is_made():
    maker = Maker()
    async with aclosing(one_ahead(maker.numbers())) as numbers:
        assert await anext(numbers) == 0
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert maker.begun == [0, 1]
    assert maker.is_over
