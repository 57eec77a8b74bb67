"""What a walk works with while it runs: the shop, the database, and a fence around every page."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any, Protocol, TypeVar

from channel_sync.domain.calls import Call, CallContext
from channel_sync.domain.channel import Shop
from channel_sync.domain.channel_rules import ChannelRules
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused, ChannelSyncError
from channel_sync.domain.integrations import Account, Integration
from channel_sync.domain.runs import Counts, Run
from channel_sync.flows.grants.service import ShopConnection
from channel_sync.flows.retries import until_stored
from channel_sync.persistence.database import Database, UnitOfWork

T = TypeVar("T")
# Writes in a transaction that may be carried out again, and says what that comes to.
Store = Callable[[UnitOfWork], Coroutine[Any, Any, Counts]]
_STORE_PATIENCE_S = 30


@dataclass(slots=True)
class RunTransaction:
    """One transaction of a run; what it adds to `counts` counts once it is committed."""

    work: UnitOfWork
    counts: Counts = field(default_factory=Counts)


@dataclass(slots=True)
class RunSession:
    """One run at work. `counts` are those of committed pages; a `flaw` makes a finished run partial at best.

    `refusals` counts what the marketplace said of single things that it refused: code and reason. `began` is by
    the monotonic clock. `seen_until` is of orders, once the walk has come to the end of what there is.
    """

    run: Run
    integration: Integration
    account: Account
    connection: ShopConnection
    context: CallContext
    database: Database
    counts: Counts = field(default_factory=Counts)
    flaw: ChannelSyncError | None = None
    lost: bool = False
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    began: float = field(default_factory=monotonic)
    seen_until: datetime | None = None

    @property
    def rules(self) -> ChannelRules:
        """How the shop's marketplace wants to be dealt with."""
        return self.connection.rules

    @property
    def commonest_refusal(self) -> ChannelRefused | None:
        """What the marketplace said most often of single things that it refused, if it refused any."""
        for (code, reason), _ in self.refusals.most_common(1):
            return ChannelRefused(code, reason)
        return None

    async def call(self, ask: Callable[[Shop], Awaitable[T]]) -> T:
        """One remote call, unless the run is to stop."""
        self.context.raise_if_cancelled()
        return await self.connection.call(ask)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[RunTransaction]:
        """A transaction with heartbeat and call journal, rolled back by `RunLost` if the run is closed."""
        calls: list[Call] = []
        kept = False
        try:
            async with self.database.begin() as work:
                page = RunTransaction(work)
                yield page
                calls = self.context.take_calls()
                await self._sign(work, page.counts, calls)
            kept = True
            self.counts += page.counts
        finally:
            if not kept:
                self.context.calls[:0] = calls

    async def keep(self, store: Store, durable: bool = True) -> Counts:
        """What `store` counts, in a transaction carried out as a whole (see `Database.run_transaction`)."""
        calls = self.context.take_calls()
        signed = partial(self._signed, store, calls)
        try:
            # Whole or not at all, so a store that is away for a moment is waited for: the download goes on.
            counts = await until_stored(partial(self.database.run_transaction, signed, durable), _STORE_PATIENCE_S)
        except BaseException:
            self.context.calls[:0] = calls
            raise
        self.counts += counts
        return counts

    async def _signed(self, store: Store, calls: list[Call], work: UnitOfWork) -> Counts:
        counts = await store(work)
        await self._sign(work, counts, calls)
        return counts

    async def _sign(self, work: UnitOfWork, counts: Counts, calls: list[Call]) -> None:
        """The heartbeat, which locks the run, so that pages kept side by side number their calls in turn."""
        await work.runs.beat(self.run.id, self.counts + counts, utcnow())
        await work.run_batches.add_calls({self.run.id: calls})


class Walk(Protocol):
    """What a run of one kind does, page by page."""

    async def run(self, session: RunSession) -> None:
        """Walk to the end, or raise what ended it; committed pages stay."""
        ...
