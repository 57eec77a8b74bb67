import asyncio

import pytest

from channel_sync.flows.side_by_side import to_their_ends


async def test_results_come_in_the_order_of_the_calls():
    first_may_end = asyncio.Event()

    async def first() -> int:
        await first_may_end.wait()
        return 1

    async def second() -> int:
        first_may_end.set()
        return 2

    assert await to_their_ends([first(), second()]) == [1, 2]


async def test_an_error_is_told_once_the_others_have_ended():
    ended = []

    async def fail() -> None:
        raise KeyError

    async def take_longer() -> None:
        await asyncio.sleep(0.01)
        ended.append("longer")

    with pytest.raises(KeyError):
        await to_their_ends([fail(), take_longer()])
    assert ended == ["longer"]
