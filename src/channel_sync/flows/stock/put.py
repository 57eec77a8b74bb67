"""The caller's stock levels into our rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import must_be_runnable
from channel_sync.domain.listings import PushState
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import MAX_UNITS, CountedOrders, PushResult, StockItem, StockLevel, StockResult
from channel_sync.flows.in_pieces import in_light_pieces
from channel_sync.persistence.database import Database, UnitOfWork

T = TypeVar("T")

# On SQLite everybody else waits for one piece: about 25 ms for as many levels, or as many listings that they feed.
_STORED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class StockAnswer:
    """What became of one item; `code` says why it is invalid."""

    sku: str
    result: StockResult
    version: int | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """What became of one SKU that is to be sent again, and how many listings it is sent to."""

    sku: str
    result: PushResult
    listings: int


class PutStock:
    """Stores wanted levels and brings forward the runs that send them."""

    def __init__(self, database: Database, nudge: Callable[[], None]) -> None:
        self._database = database
        self._nudge = nudge

    async def put(
        self, tenant: str, items: Sequence[StockItem], counted: CountedOrders = CountedOrders.ALL
    ) -> list[StockAnswer]:
        """An answer per item, in order; an invalid one does not stop the others.

        What is held back for orders that the caller has `counted` in these levels is held back no more.
        """
        faults = _faults(items)
        usable = [item for item, fault in zip(items, faults, strict=True) if fault is None]
        stored = iter(await self._store(tenant, usable, counted) if usable else [])
        return [
            next(stored) if fault is None else StockAnswer(item.sku, StockResult.INVALID, None, fault)
            for item, fault in zip(items, faults, strict=True)
        ]

    async def push_again(self, tenant: str, skus: Sequence[str]) -> list[PushAnswer]:
        """An answer per SKU, in order: its level is sent once more to every listing that it feeds."""
        answers: list[PushAnswer] = []
        for part in await pieces_by_listings(self._database, tenant, skus, skus):
            queued, to_push = await self._database.run_transaction(partial(_push_again, tenant, part))
            answers += queued
            if to_push:
                self._nudge()
        return answers

    async def retry(self, tenant: str, integration_id: str, state: PushState, code: str | None = None) -> int:
        """How many listings of the shop wait again that were `rejected`, with this code or any, or are `drifted`.

        `Conflict` unless the integration may run.
        """
        began, retried = utcnow(), 0
        async with self._database.read() as work:
            integration = await work.integrations.get(tenant, integration_id)
        must_be_runnable(integration)
        is_over = False
        while not is_over:
            async with self._database.begin() as work:
                await work.schedules.hurry(integration_id, RunKind.STOCK, began)
                account_id = integration.account_id or ""
                part = await work.pushes.retry(account_id, state, code, began, _STORED_AT_ONCE)
            retried += part
            is_over = part < _STORED_AT_ONCE
        self._nudge()
        return retried

    async def _store(self, tenant: str, items: Sequence[StockItem], counted: CountedOrders) -> list[StockAnswer]:
        """Some hundred at a time, so that nobody waits long for the store. Who is cut off repeats all of it."""
        answers: list[StockAnswer] = []
        changed: list[str] = []
        for part in await pieces_by_listings(self._database, tenant, items, [item.sku for item in items]):
            # What is given together is sent together, as one push: the runs are due once all of it is stored.
            is_last = len(answers) + len(part) == len(items)
            store = partial(_store, tenant, part, counted, changed, is_last)
            stored, to_push = await self._database.run_transaction(store)
            answers += stored
            changed += [one.sku for one in stored if one.result is StockResult.ACCEPTED]
            if to_push:
                self._nudge()
        return answers


async def pieces_by_listings(
    database: Database, tenant: str, items: Sequence[T], skus: Sequence[str]
) -> Iterable[Sequence[T]]:
    """The items, each about a SKU, so many at a time as are stored in one transaction with what they feed."""
    if len(items) == 1:
        return [items]
    async with database.read() as work:
        fed = await work.stock.count_fed(tenant, skus)
    weights = [fed.get(sku, 0) for sku in skus]
    return in_light_pieces(items, weights, _STORED_AT_ONCE, _STORED_AT_ONCE)


async def _store(
    tenant: str,
    items: Sequence[StockItem],
    counted: CountedOrders,
    changed_before: Sequence[str],
    is_last: bool,
    work: UnitOfWork,
) -> tuple[list[StockAnswer], bool]:
    """The answers, and whether a run is due now that sends what these and those before them changed."""
    now = utcnow()
    levels = await work.stock.put(tenant, items, now, counted)
    answers = [_answer(item, level, result) for item, (level, result) in zip(items, levels, strict=True)]
    changed = [answer.sku for answer in answers if answer.result is StockResult.ACCEPTED]
    return answers, is_last and await _hurry(work, tenant, [*changed_before, *changed], now)


def _answer(item: StockItem, level: StockLevel, result: StockResult) -> StockAnswer:
    if result is StockResult.INVALID:
        return StockAnswer(item.sku, result, None, "too_many_warehouses")
    return StockAnswer(item.sku, result, level.version)


async def _push_again(tenant: str, skus: Sequence[str], work: UnitOfWork) -> tuple[list[PushAnswer], bool]:
    now = utcnow()
    queued = await work.pushes.push_again(tenant, skus, now)
    known = await work.stock.levels(tenant, skus)
    answers = [PushAnswer(sku, _push_result(sku in known, queued.get(sku, 0)), queued.get(sku, 0)) for sku in skus]
    return answers, await _hurry(work, tenant, list(queued), now)


def _push_result(is_known: bool, listings: int) -> PushResult:
    if listings:
        return PushResult.QUEUED
    return PushResult.NO_LISTING if is_known else PushResult.UNKNOWN_SKU


async def _hurry(work: UnitOfWork, tenant: str, skus: Sequence[str], now: datetime) -> bool:
    """Whether there are integrations with listings of these SKUs waiting, whose runs are due now."""
    waiting = await work.stock.integrations_to_push(tenant, skus) if skus else []
    for integration_id in waiting:
        await work.schedules.hurry(integration_id, RunKind.STOCK, now)
    return bool(waiting)


def _faults(items: Sequence[StockItem]) -> list[str | None]:
    faults: list[str | None] = []
    seen: dict[str, set[str | None]] = {}
    for item in items:
        places = seen.setdefault(item.sku, set())
        faults.append(_fault(item, places))
        places.add(item.warehouse)
    return faults


def _fault(item: StockItem, places: set[str | None]) -> str | None:
    """Why an item is of no use beside those before it, of which some were about its SKU in these warehouses."""
    if not item.sku.strip():
        return "sku_blank"
    if item.warehouse in places or None in places or (item.warehouse is None and places):
        return "sku_repeated"
    return None if 0 <= item.available <= MAX_UNITS else "available_out_of_range"
