"""Callers of one moment share a transaction: a thousand small ones would cost more than what they do."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from channel_sync.persistence.engine.tenancy import for_every_tenant

K = TypeVar("K")
R = TypeVar("R")


class Batcher(Generic[K, R]):
    """Does something for many at once: whoever comes while one round is under way is in the next.

    Nobody waits for company: who comes alone is done alone. `act` gives one result for each item, in their order;
    an exception among them is raised for its caller, one that `act` raises for all of the round.
    """

    def __init__(
        self, act: Callable[[Sequence[K]], Awaitable[Sequence[R | Exception]]], batch_size: int = 200
    ) -> None:
        self._act = act
        self._batch_size = batch_size
        self._waiting: list[tuple[K, asyncio.Future[R]]] = []
        self._rounds: asyncio.Task[None] | None = None

    async def submit(self, item: K) -> R:
        """What `act` makes of the item."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._go_round())
        return await answer

    async def _go_round(self) -> None:
        try:
            # The callers of a round may be of several tenants.
            with for_every_tenant():
                while self._waiting:
                    part, self._waiting = self._waiting[: self._batch_size], self._waiting[self._batch_size :]
                    await self._go_once(part)
        finally:
            self._rounds = None

    async def _go_once(self, part: Sequence[tuple[K, asyncio.Future[R]]]) -> None:
        try:
            results = await self._act([item for item, _ in part])
        except Exception as error:
            results = [error] * len(part)
        for (_, answer), result in zip(part, results, strict=True):
            # Somebody who was cancelled does not wait any more.
            if answer.done():
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
