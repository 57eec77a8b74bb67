"""Calls to a marketplace: in what order they go, what is kept of them, how they are stopped."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, TypeVar

from channel_sync.domain.errors import RunStopped

T = TypeVar("T")


class Priority(IntEnum):
    """Who goes first when calls of one integration wait for its rate budget; lower is sooner."""

    INTERACTIVE = 0
    ORDERS = 1
    STOCK = 2
    CATALOGUE = 3
    BACKFILL = 4


@dataclass(frozen=True, slots=True)
class Call:
    """One call to the marketplace, as kept with its run: the path has no query, nothing has a secret."""

    at: datetime
    method: str
    path: str
    status: int | None
    code: int | None
    duration_ms: int
    channel_request_id: str | None


@dataclass(slots=True)
class CallContext:
    """What the calls of one run share: their journal, their place in the queue, and the way to stop them.

    `cancel` may come from anywhere in the process; from then on no new call starts. `is_paused` is true while a
    call waits because the marketplace asked for a pause. `by_person`: a person asked for the run.
    """

    priority: Priority
    calls: list[Call] = field(default_factory=list)
    is_paused: bool = False
    by_person: bool = False
    _cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_a_persons(self) -> bool:
        """Whether somebody waits who would rather see a call fail than none made."""
        return self.by_person or self.priority is Priority.INTERACTIVE

    def cancel(self) -> None:
        """Let no further call start."""
        self._cancelled.set()

    def raise_if_cancelled(self) -> None:
        """Raise `RunStopped` once it is cancelled."""
        if self._cancelled.is_set():
            raise RunStopped

    async def sleep(self, seconds: float) -> None:
        """Wait, but wake at once with `RunStopped` when it is cancelled."""
        try:
            await asyncio.wait_for(self._cancelled.wait(), seconds)
        except TimeoutError:
            return
        raise RunStopped

    async def unless_cancelled(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work comes to; it is given up with `RunStopped` as soon as this is cancelled."""
        working, cancelled = asyncio.create_task(work), asyncio.create_task(self._cancelled.wait())
        try:
            await asyncio.wait((working, cancelled), return_when=asyncio.FIRST_COMPLETED)
            self.raise_if_cancelled()
            return working.result()
        finally:
            working.cancel()
            cancelled.cancel()

    def take_calls(self) -> list[Call]:
        """The calls since the last time this was asked."""
        calls, self.calls = self.calls, []
        return calls
