"""Things that are made one after the other, each while the one before it is used."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final, TypeVar

T = TypeVar("T")


class _End:
    """What comes after the last."""


_END: Final = _End()


async def one_ahead(things: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The same things. Closed early, the one that is being made is given up."""
    making = asyncio.create_task(_next(things))
    try:
        while not isinstance(thing := await making, _End):
            making = asyncio.create_task(_next(things))
            yield thing
    finally:
        making.cancel()
        await asyncio.wait([making])
        if not making.cancelled():
            # Nobody asks for it any more, whatever became of it.
            making.exception()


async def _next(things: AsyncIterator[T]) -> T | _End:
    return await anext(things, _END)
