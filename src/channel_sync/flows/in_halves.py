"""Rows stored although the database refuses one of them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from channel_sync.domain.errors import ValueRefused

T = TypeVar("T")


async def store_in_halves(rows: Sequence[T], store: Callable[[Sequence[T]], Awaitable[object]]) -> list[T]:
    """Store the rows, in halves and halves of those where the database refuses a value; the rows it refuses."""
    try:
        await store(rows)
    except ValueRefused:
        if len(rows) == 1:
            return [*rows]
        middle = len(rows) // 2
        return [*await store_in_halves(rows[:middle], store), *await store_in_halves(rows[middle:], store)]
    return []
