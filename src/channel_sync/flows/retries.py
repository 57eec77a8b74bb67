"""Steps that are tried again: after somebody else's change, and while the store is away."""

import asyncio
from collections.abc import Awaitable, Callable
from random import uniform
from time import monotonic
from typing import TypeVar

from channel_sync.domain.errors import StaleVersion, StorageUnavailable

T = TypeVar("T")
_TRIES = 8


async def while_stale(step: Callable[[], Awaitable[T]]) -> T:
    """The result of a step that reads and saves; it starts anew when somebody saved in between."""
    for _ in range(_TRIES - 1):
        try:
            return await step()
        except StaleVersion:
            await asyncio.sleep(uniform(0, 0.05))
    return await step()


async def until_stored(step: Callable[[], Awaitable[T]], patience_s: float) -> T:
    """The result of a step that must outlive a store that is away; `StorageUnavailable` after `patience_s`."""
    give_up_at = monotonic() + patience_s
    while True:
        try:
            return await step()
        except StorageUnavailable:
            if monotonic() >= give_up_at:
                raise
            await asyncio.sleep(uniform(0.1, 0.5))
