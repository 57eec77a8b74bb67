"""What waits in one shop, in the order in which it is told, by the settings as they are when its turn comes."""

import asyncio
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, chain
from time import monotonic

from channel_sync.domain.listings import Listing, ProductStock, Waiting
from channel_sync.domain.stock import Arithmetic, StockLevel
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.stock.plan import emptied, plan, turns
from channel_sync.flows.stock.warehouse import chosen_of, warehouse_of

_Line = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class LineRules:
    """How many listings are read `at_once`, and how many are `most` in a line.

    Making up a line takes a second or more, so that it is kept `kept_times` as long as that took; but not longer
    than `kept_s`, for what is urgent may have begun to wait behind it.
    """

    at_once: int = 5_000
    most: int = 50_000
    kept_times: float = 20
    kept_s: float = 15


USUAL = LineRules()


@dataclass(slots=True)
class StockLine:
    """Where few listings wait, they are read anew each time. Where many do, they form a line.

    `emptying` are those of all that waited when they were last looked through that are to be set to zero.
    """

    session: RunSession
    rules: LineRules
    warehouse_id: str | None = None
    emptying: Collection[str] = ()
    _there: Set[str] = frozenset()
    _line: _Line = ()
    _kept_until: float = 0.0

    async def next(self) -> list[ProductStock]:
        """The most urgent products now, as many as go at once or more; none where nothing waits."""
        while self._line and monotonic() < self._kept_until:
            first, rest = self._front()
            products = await self._of([*chain.from_iterable(first)])
            # What was sent has left the line, and who is still there moves up.
            self._line = [*([one.listing_id for one in product.listings] for product in products), *rest]
            if products and (len(products) == len(first) or not rest):
                return products
        account_id = self.session.account.id
        async with self.session.database.read() as work:
            stale = await work.pushes.stale(account_id, self.rules.at_once)
        if len(stale) < self.rules.at_once:
            return await self._planned(stale, all_there_are=True)
        await self._line_up()
        first, _ = self._front()
        return await self._of([*chain.from_iterable(first)])

    async def as_of_now(self, products: Sequence[ProductStock]) -> list[ProductStock]:
        """Those of the products that still wait, with their newest levels."""
        return await self._of([one.listing_id for product in products for one in product.listings])

    async def _of(self, listing_ids: Collection[str]) -> list[ProductStock]:
        async with self.session.database.read() as work:
            stale = await work.pushes.stale_of(listing_ids)
        return await self._planned(stale)

    async def _planned(
        self, stale: Sequence[tuple[Listing, StockLevel]], all_there_are: bool = False
    ) -> list[ProductStock]:
        settings = await self._settings() if stale else None
        if settings is None:
            return []
        if all_there_are:
            self.emptying = await asyncio.to_thread(emptied, stale, *settings, await self._released_at())
        # Thousands of listings take longer than the API's requests should wait.
        return await asyncio.to_thread(plan, stale, *settings)

    async def _line_up(self) -> None:
        began = monotonic()
        settings = await self._settings()
        if settings is None:
            return
        waiting: list[Waiting] = []
        while len(waiting) < self.rules.most:
            after = waiting[-1] if waiting else None
            # A transaction each: PostgreSQL ends one whose reader decodes for seconds what it was given.
            async with self.session.database.read() as work:
                found = await work.pushes.waiting(self.session.account.id, after, self.rules.at_once)
            waiting += found
            if len(found) < self.rules.at_once:
                break
        self.emptying = await asyncio.to_thread(emptied, waiting, *settings, await self._released_at())
        self._line = await asyncio.to_thread(turns, waiting, *settings)
        now = monotonic()
        self._kept_until = now + min(self.rules.kept_s, self.rules.kept_times * (now - began))

    async def _settings(self) -> tuple[Arithmetic, str] | None:
        """The settings as they are now, and the warehouse; none once the integration is gone."""
        async with self.session.database.read() as work:
            integration = await work.integrations.find(self.session.integration.id)
        if integration is None:
            return None
        settings = integration.settings.stock
        # Once a run, and again where a person has chosen others meanwhile.
        if self.warehouse_id is None or not chosen_of(settings) <= self._there:
            self.warehouse_id = await warehouse_of(self.session, integration)
            self._there = chosen_of(settings) | {self.warehouse_id}
        self.warehouse_id = settings.warehouse_id or self.warehouse_id
        return Arithmetic(settings, self.session.rules.stock.most_units), self.warehouse_id

    async def _released_at(self) -> datetime | None:
        async with self.session.database.read() as work:
            return (await work.accounts.get(self.session.account.id)).brake_released_at

    def _front(self) -> tuple[_Line, _Line]:
        """As many of the first products as go at once, at least one, and the rest."""
        listings = accumulate(len(product) for product in self._line[: self.session.rules.stock.bulk_products])
        number = max(1, sum(1 for count in listings if count <= self.rules.at_once))
        return self._line[:number], self._line[number:]
