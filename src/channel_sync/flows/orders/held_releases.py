"""Held orders whose cause may be gone: tried again by themselves, or because somebody asked for all of a kind."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from channel_sync.domain.calls import Priority
from channel_sync.domain.channel import Channel
from channel_sync.domain.errors import ChannelError, Conflict, NotFound
from channel_sync.domain.held_orders import UntriedOrder
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.orders.held import Held
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_tenant
from channel_sync.persistence.rows.encryption import Unreadable

_AT_ONCE = 100


class HeldReleases:
    """Tries held orders of every tenant once more after each change of what they were tried with.

    That is the code that reads them, and the currency of the integration. A reply that stays unreadable costs no
    call; one that is readable now is asked for anew, for it may be old.
    """

    def __init__(self, database: Database, shops: Shops) -> None:
        self._database = database
        self._shops = shops
        self._held = Held(database, shops)

    async def run(self) -> None:
        """Try all that was not tried yet with what there is now."""
        for type_, channel in self._shops.channels.items():
            after, more = "", True
            while more:
                async with self._database.read() as work:
                    found = await work.held_orders.untried(type_, channel.reader, after, _AT_ONCE)
                await self._note(found, [await self._is_settled(channel, one) for one in found])
                after, more = (found[-1].id if found else after), len(found) == _AT_ONCE

    async def _is_settled(self, channel: Channel, held: UntriedOrder) -> bool:
        """Whether there is nothing to be tried of it any more; not while the marketplace is away."""
        with for_tenant(held.tenant):
            try:
                if held.asked or await self._is_readable(channel, held):
                    # There may be thousands, and orders that are new come first.
                    await self._held.replay(held.tenant, held.id, Priority.BACKFILL)
            except (Conflict, NotFound, Unreadable):
                return True
            except ChannelError:
                return False
        return True

    async def _is_readable(self, channel: Channel, held: UntriedOrder) -> bool:
        await asyncio.sleep(0)
        if held.erased:
            return False
        async with self._database.read() as work:
            raw = await work.held_orders.raw(held.id)
        return bool(channel.read_order(raw).orders)

    async def _note(self, found: Sequence[UntriedOrder], settled: Sequence[bool]) -> None:
        tried = defaultdict[str, list[str]](list)
        for held, is_settled in zip(found, settled, strict=True):
            if is_settled:
                tried[held.try_with].append(held.id)
        if tried:
            async with self._database.begin() as work:
                for with_, ids in tried.items():
                    await work.held_orders.tried(ids, with_)
