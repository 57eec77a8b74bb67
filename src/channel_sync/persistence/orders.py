"""Orders: stored a page at a time, read as a feed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update

from channel_sync.domain.errors import NotFound
from channel_sync.domain.hot_values import hot_value
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Account
from channel_sync.domain.orders import Change, ChannelOrder, Order, OrderState, StoredVersion, change_of
from channel_sync.domain.runs import Counts
from channel_sync.persistence.encryption import Cipher
from channel_sync.persistence.order_rows import (
    PUBLIC_DIGEST_BYTES,
    READ,
    READ_PERSONAL,
    UPSERT,
    Fresh,
    RowWriter,
    order_of,
    without_personal,
)
from channel_sync.persistence.paging import Page, PageRequest, as_position, page_of
from channel_sync.persistence.positions import next_positions
from channel_sync.persistence.session import Session, Values
from channel_sync.persistence.tables import accounts
from channel_sync.persistence.trade_tables import held_orders, orders

_row = orders.c
_OPEN_STATES = (OrderState.IN_REVIEW, OrderState.APPROVED)


@hot_value
class StoredChange:
    """One stored version of an order: what it was before, and what it is now."""

    order_id: str
    channel_order_id: str
    change: Change
    before: OrderState | None
    state: OrderState
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StoredPage:
    """What storing a page came to; `changes` holds what was created or updated, in feed order."""

    counts: Counts
    changes: list[StoredChange]


@dataclass(frozen=True, slots=True)
class OrderFeedQuery:
    """Which orders of the feed. `updated_after` is the marketplace's time."""

    integration_id: str | None = None
    state: OrderState | None = None
    updated_after: datetime | None = None
    acknowledged: bool | None = None
    channel_order_id: str | None = None
    transaction_id: str | None = None


@hot_value
class _Known:
    version: StoredVersion
    erased: bool


class OrderRepository:
    """Orders of every tenant. They belong to accounts and show the account's last integration."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def store(
        self, account: Account, default_currency: str, orders: Sequence[ChannelOrder], now: datetime
    ) -> StoredPage:
        """Store what is new or newer. Repeating it, or an older page, writes nothing.

        An order that stands twice in the page counts once as what it is and again as ignored.
        """
        writer = RowWriter(account, default_currency, now, self._cipher)
        return await self.store_prepared(writer, writer.prepare(orders, likely_new=False))

    async def store_prepared(self, writer: RowWriter, page: Sequence[Fresh]) -> StoredPage:
        """The same for orders that `writer` prepared, which takes most of the time, before this transaction."""
        newest = _newest(page)
        known = await self._known(writer.account.id, list(newest))
        seen: Counter[Change] = Counter()
        news: list[tuple[Fresh, _Known | None]] = []
        for channel_order_id, fresh in newest.items():
            stored = known.get(channel_order_id)
            if stored is not None and stored.erased:
                fresh = without_personal(fresh)
            change = change_of(None if stored is None else stored.version, fresh.order.updated_at, fresh.digest)
            seen[change] += 1
            if change in (Change.CREATED, Change.UPDATED):
                news.append((fresh, stored))
        changes = await self._write(writer, news)
        seen[Change.IGNORED] += len(page) - len(newest)
        return StoredPage(Counts(**{change.value: count for change, count in seen.items()}), changes)

    async def _known(self, account_id: str, channel_order_ids: list[str]) -> dict[str, _Known]:
        if self._session.postgres:
            # One page of an account at a time, so that what is read here is still so when it is written.
            await self._session.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())
        rows = await self._session.rows(
            select(
                _row.channel_order_id,
                _row.id,
                _row.version,
                _row.state,
                _row.channel_updated_at,
                _row.digest,
                _row.erased,
            ).where(_row.account_id == account_id, self._session.among(_row.channel_order_id, channel_order_ids))
        )
        return {row[0]: _Known(StoredVersion(*row[1:6]), row.erased) for row in rows}

    async def _write(self, writer: RowWriter, news: list[tuple[Fresh, _Known | None]]) -> list[StoredChange]:
        if not news:
            return []
        places = await next_positions(self._session, writer.account.tenant, "orders", len(news))
        rows, changes = [], []
        for position, (fresh, known) in zip(places, news, strict=True):
            row, change = _created(writer, fresh) if known is None else _updated(writer, fresh, known)
            rows.append((*row, position))
            changes.append(change)
        await UPSERT.write(self._session, rows)
        return changes

    async def feed(self, tenant: str, query: OrderFeedQuery, page: PageRequest, personal: bool) -> Page[Order]:
        """A page of orders in the order they were stored; an updated order stands at its newest place only."""
        statement = _read(personal).where(_row.tenant == tenant, *await self._wanted(tenant, query))
        if page.after is not None:
            statement = statement.where(_row.position > as_position(page.after[0]))
        rows = await self._session.rows(statement.order_by(_row.position).limit(page.limit + 1))
        found = page_of(rows, page, lambda row: (row.position,))
        return Page([order_of(row, self._cipher) for row in found.items], found.next)

    async def _wanted(self, tenant: str, query: OrderFeedQuery) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if query.integration_id is not None or query.channel_order_id is not None:
            wanted.append(_row.account_id.in_(await self._accounts(tenant, query.integration_id)))
        if query.state is not None:
            wanted.append(_row.state == query.state)
        if query.updated_after is not None:
            wanted.append(_row.channel_updated_at > query.updated_after)
        if query.acknowledged is not None:
            wanted.append(
                _row.acknowledged_at.is_not(None) if query.acknowledged else _row.acknowledged_at.is_(None)
            )
        if query.channel_order_id is not None:
            wanted.append(_row.channel_order_id == query.channel_order_id)
        if query.transaction_id is not None:
            wanted.append(_row.transaction_id == query.transaction_id)
        return wanted

    async def _accounts(self, tenant: str, integration_id: str | None) -> list[str]:
        """Read apart, so that one account's orders come straight from an index in feed order."""
        statement = select(accounts.c.id).where(accounts.c.tenant == tenant)
        if integration_id is not None:
            statement = statement.where(accounts.c.integration_id == integration_id)
        return await self._session.column(statement)

    async def get(self, tenant: str, order_id: str, personal: bool) -> Order:
        """The order, or `NotFound`."""
        row = await self._session.row(_read(personal).where(_row.id == order_id, _row.tenant == tenant))
        if row is None:
            raise NotFound("order")
        return order_of(row, self._cipher)

    async def known(self, account_id: str, channel_order_ids: Sequence[str]) -> set[str]:
        """Those of the marketplace's ids that are stored."""
        mine = (_row.account_id == account_id, self._session.among(_row.channel_order_id, channel_order_ids))
        return set(await self._session.column(select(_row.channel_order_id).where(*mine)))

    async def count_open(self, account_id: str) -> int:
        """How many of the account's orders are neither shipped nor given up."""
        mine = (_row.account_id == account_id, _row.state.in_(_OPEN_STATES))
        return int(await self._session.value(select(func.count()).select_from(orders).where(*mine)))

    async def acknowledge(self, tenant: str, ids: Sequence[str], now: datetime) -> list[str]:
        """Mark orders as taken over by the consumer; those ids that there are. The first moment stays."""
        mine = (_row.tenant == tenant, self._session.among(_row.id, ids))
        found = await self._session.column(select(_row.id).where(*mine))
        fresh_ones = update(orders).where(*mine, _row.acknowledged_at.is_(None))
        await self._session.execute(fresh_ones.values(acknowledged_at=now))
        return found

    async def erase(self, tenant: str, ids: Sequence[str]) -> int:
        """Wipe what is personal, for good: later versions of these orders bring it back no more. How many."""
        mine = (_row.tenant == tenant, self._session.among(_row.id, ids))
        same_order = (held_orders.c.account_id == _row.account_id) & (
            held_orders.c.channel_order_id == _row.channel_order_id
        )
        replies = select(held_orders.c.id).where(same_order, *mine)
        await self._session.execute(held_orders.delete().where(held_orders.c.id.in_(replies)))
        public = func.substr(_row.digest, 1, PUBLIC_DIGEST_BYTES)
        wiped = {"address": None, "tax": None, "raw": None, "erased": True, "digest": public}
        return await self._session.change(update(orders).where(*mine).values(wiped))


def _newest(page: Sequence[Fresh]) -> dict[str, Fresh]:
    newest: dict[str, Fresh] = {}
    for fresh in page:
        other = newest.get(fresh.order.channel_order_id)
        if other is None or fresh.order.updated_at >= other.order.updated_at:
            newest[fresh.order.channel_order_id] = fresh
    return newest


def _created(writer: RowWriter, fresh: Fresh) -> tuple[Values, StoredChange]:
    order, order_id, row = fresh.order, fresh.order_id, fresh.row
    if order_id is None or row is None:
        order_id = new_id("ord", writer.now)
        row = writer.row(order_id, fresh, 1, False)
    change = StoredChange(order_id, order.channel_order_id, Change.CREATED, None, order.state, 1, order.updated_at)
    return row, change


def _updated(writer: RowWriter, fresh: Fresh, known: _Known) -> tuple[Values, StoredChange]:
    order, before = fresh.order, known.version
    version = before.version + 1
    change = StoredChange(
        before.id, order.channel_order_id, Change.UPDATED, before.state, order.state, version, order.updated_at
    )
    return writer.row(before.id, fresh, version, known.erased), change


def _read(personal: bool) -> Select[*tuple[Any, ...]]:
    columns = READ_PERSONAL if personal else READ
    return select(*columns).join_from(orders, accounts, accounts.c.id == _row.account_id)
