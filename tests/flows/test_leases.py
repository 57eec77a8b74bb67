import asyncio
from datetime import timedelta

import pytest

from channel_sync.flows.leases import Lease, kept_alive

SOON_S = 0.01


class Beats:
    """Counts signs of life, and tells when so many were given. After `most` there is nothing left to keep."""

    def __init__(self, awaited: int = 1, most: int = 1000) -> None:
        self.count = 0
        self.reached = asyncio.Event()
        self._awaited = awaited
        self._most = most

    async def __call__(self) -> bool:
        self.count += 1
        if self.count >= self._awaited:
            self.reached.set()
        return self.count < self._most


async def test_signs_of_life_are_given_while_the_body_runs_and_not_after():
    beats = Beats(awaited=3)
    async with kept_alive(beats, SOON_S):
        await beats.reached.wait()
    given = beats.count
    await asyncio.sleep(3 * SOON_S)

    assert beats.count == given


async def test_what_ends_before_the_first_gives_none():
    beats = Beats()
    async with kept_alive(beats, 60):
        pass

    assert beats.count == 0


async def test_there_are_no_more_once_nothing_is_left_to_keep():
    beats = Beats(awaited=2, most=2)
    async with kept_alive(beats, SOON_S):
        await beats.reached.wait()
        await asyncio.sleep(5 * SOON_S)

    assert beats.count == 2


async def test_one_that_is_being_given_comes_to_its_end():
    began, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def beat() -> bool:
        began.set()
        await may_end.wait()
        ended.append(True)
        return True

    async def work() -> None:
        async with kept_alive(beat, SOON_S):
            await began.wait()

    working = asyncio.create_task(work())
    await began.wait()
    await asyncio.sleep(0)
    may_end.set()
    await working

    assert ended == [True]


async def test_the_body_s_error_is_the_one_that_is_told():
    with pytest.raises(KeyError):
        async with kept_alive(Beats(), SOON_S):
            raise KeyError


def test_each_start_is_somebody_else():
    assert Lease().owner != Lease().owner
    assert Lease(seconds=90).length == timedelta(seconds=90)
