"""Buyers forgotten: at a person's request at once, and by the tenant's retention in time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile

from channel_sync.domain.clock import utcnow
from channel_sync.domain.erasure import ANYBODY, Buyer, Erased
from channel_sync.persistence.database import Database
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.sql.paging import PageRequest

# What is personal takes some 50 µs an order to open, and on SQLite the event loop for as long.
_OPENED_AT_ONCE = 100
_ERASED_AT_ONCE = 200
# A call that looks through more goes on with the next one, so that no proxy cuts it.
_LOOKED_AT_IN_A_CALL = 20_000
_TENANTS_AT_ONCE = 100
_HELD = "hld_"


class Erasure:
    """Erases orders and held replies of every tenant. Repeating it is harmless."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant: str, ids: Sequence[str], channel_order_ids: Sequence[str]) -> Erased:
        """These orders and held replies erased, ours or the marketplace's ids; those that there are."""
        async with self._database.begin() as work:
            mine = [*ids, *await work.orders.ids_of(tenant, channel_order_ids)]
            held = [one for one in ids if one.startswith(_HELD)]
            held += await work.held_orders.ids_of(tenant, channel_order_ids)
            erased = await work.held_orders.erase(tenant, held)
            return Erased(await work.orders.erase(tenant, mine, utcnow()), erased)

    async def of_buyer(self, tenant: str, buyer: Buyer, after: int) -> Erased:
        """A buyer's orders behind a position, and held replies; every one of them has to be opened for it."""
        orders, seen, position = 0, 0, after
        while seen < _LOOKED_AT_IN_A_CALL:
            page = PageRequest(_OPENED_AT_ONCE, (position,))
            async with self._database.read() as work:
                found = await work.orders.feed(tenant, OrderFeedQuery(), page, personal=True)
            ids = [one.id for one in found.items if one.address is not None and buyer.is_at(one.address)]
            async with self._database.begin() as work:
                orders += await work.orders.erase(tenant, ids, utcnow())
            if found.next is None:
                return Erased(orders, await self._erase_replies(tenant, buyer))
            seen, position = seen + len(found.items), found.items[-1].position
        return Erased(orders, 0, position)

    async def of_tenant(self, tenant: str, after: int) -> Erased:
        """Everybody's orders behind a position, and held replies."""
        orders, seen, position = 0, 0, after
        while seen < _LOOKED_AT_IN_A_CALL:
            async with self._database.begin() as work:
                some = await work.orders.behind(tenant, position, _ERASED_AT_ONCE)
                orders += await work.orders.erase(tenant, [one.id for one in some if not one.erased], utcnow())
            if len(some) < _ERASED_AT_ONCE:
                return Erased(orders, await self._erase_replies(tenant, ANYBODY))
            seen, position = seen + len(some), some[-1].position
        return Erased(orders, 0, position)

    async def _erase_replies(self, tenant: str, buyer: Buyer) -> int:
        erased, last = 0, ""
        while True:
            async with self._database.begin() as work:
                some = await work.held_orders.opened(tenant, last, _OPENED_AT_ONCE)
                ids = [held_id for held_id, reply in some if buyer.is_in(reply)]
                erased += await work.held_orders.erase(tenant, ids)
            if len(some) < _OPENED_AT_ONCE:
                return erased
            last = some[-1][0]


class Retentions:
    """Erases what was kept long enough: `default_days` after its last change, or as its tenant wants."""

    def __init__(self, database: Database, default_days: int | None) -> None:
        self._database = database
        self._default_days = default_days

    async def run(self, now: datetime) -> None:
        """Erase what is due, tenant by tenant and piece by piece."""
        last = ""
        while True:
            async with self._database.read() as work:
                tenants = await work.retentions.tenants(last, _TENANTS_AT_ONCE)
            for tenant in tenants:
                while await self._piece(tenant, now):
                    pass
            if len(tenants) < _TENANTS_AT_ONCE:
                return
            last = tenants[-1]

    async def _piece(self, tenant: str, now: datetime) -> bool:
        """One short transaction; whether there is more to do. It asks first without a turn to write."""
        async with self._database.read() as work:
            days = (await work.retentions.of(tenant)).days(self._default_days)
        if days is None:
            return False
        before = now - timedelta(days=days)
        async with self._database.begin() as work:
            come_to = await work.retentions.taken(tenant)
            some = await work.orders.behind(tenant, come_to.position, _ERASED_AT_ONCE)
            old = list(takewhile(lambda order: order.stored_at < before, some))
            # One that is open is left: it gets another position with its next state.
            ended = [one.id for one in old if one.is_over and not one.erased]
            orders = await work.orders.erase(tenant, ended, now)
            replies = await work.held_orders.erase_before(tenant, before, _ERASED_AT_ONCE)
            more = len(old) == _ERASED_AT_ONCE or replies == _ERASED_AT_ONCE
            await work.retentions.proceed(
                tenant,
                replace(
                    come_to,
                    position=old[-1].position if old else come_to.position,
                    orders_erased=come_to.orders_erased + orders,
                    held_orders_erased=come_to.held_orders_erased + replies,
                    erased_until=come_to.erased_until if more else before,
                ),
            )
        return more
