"""Calls made side by side, each awaited to its end."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def to_their_ends(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Their results, or the first error once all have ended: the others count, whatever happened to one."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    good: list[T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        good.append(result)
    return good
