"""Requests that wait for events: how many there may be, and the one look at the store taken for all of them."""

import asyncio
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field

from fastapi import Request

from channel_sync.api.http.places import PlaceLimits, Places
from channel_sync.api.http.services import Health
from channel_sync.domain.errors import ChannelSyncError
from channel_sync.domain.keys import Caller
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_every_tenant

LOOK_EVERY_S = 0.5


@dataclass(eq=False, slots=True)
class _Waiter:
    """A request that knows its tenant's feed up to a position, and is told of the next one."""

    tenant: str
    position: int
    told: asyncio.Event = field(default_factory=asyncio.Event)


class EventWaits:
    """The waits of one process. All of them share one statement each half second, however many they are."""

    def __init__(self, database: Database, health: Health, limits: PlaceLimits) -> None:
        self._database = database
        self._health = health
        self._places = Places(limits, "too_many_waits", "As many requests wait here as may wait at once.")
        self._waiting: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None
        self._nobody_waits = asyncio.Event()

    def place(self, caller: Caller) -> AbstractContextManager[None]:
        """A place among those who wait; 429 where there is none."""
        return self._places.place(caller)

    async def news(self, tenant: str, position: int, within_s: float, request: Request) -> bool:
        """Whether the feed has something behind the position, as soon as it does; the client may leave before."""
        waiter = _Waiter(tenant, position)
        self._waiting.add(waiter)
        if self._looking is None or self._looking.done():
            self._nobody_waits = asyncio.Event()
            self._looking = asyncio.create_task(self._keep_looking(self._nobody_waits))
        told, left = asyncio.create_task(waiter.told.wait()), asyncio.create_task(_left(request))
        try:
            await asyncio.wait((told, left), timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            return told.done()
        finally:
            self._waiting.discard(waiter)
            told.cancel()
            left.cancel()
            if not self._waiting:
                await self._end_looking()

    async def _end_looking(self) -> None:
        """Nothing looks into a store that may be about to be closed. Whoever comes meanwhile looks anew."""
        looking, self._looking = self._looking, None
        self._nobody_waits.set()
        if looking is not None:
            await asyncio.wait([looking])

    async def _keep_looking(self, nobody_waits: asyncio.Event) -> None:
        """Look for as long as anybody waits."""
        while not nobody_waits.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(nobody_waits.wait(), LOOK_EVERY_S)
                return
            for waiter in await self._with_news():
                waiter.told.set()

    async def _with_news(self) -> list[_Waiter]:
        if self._health.draining:
            return list(self._waiting)
        try:
            with for_every_tenant():
                async with self._database.read() as work:
                    newest = await work.events.newest({waiter.tenant for waiter in self._waiting})
        except ChannelSyncError:
            # Who asks the store again hears what is the matter.
            return list(self._waiting)
        return [waiter for waiter in self._waiting if newest.get(waiter.tenant, 0) > waiter.position]


async def _left(request: Request) -> None:
    """Wait until the client is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
