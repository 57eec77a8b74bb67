"""Orders: stored a page at a time, read as a feed."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Row, Select, bindparam, func, literal_column, select, tuple_, update

from channel_sync.domain.erasure import OrderAge
from channel_sync.domain.errors import NotFound
from channel_sync.domain.integrations import Account
from channel_sync.domain.order_filters import Fulfilment
from channel_sync.domain.orders import (
    Change,
    Order,
    OrderState,
)
from channel_sync.domain.runs import Counts
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.mapped_skus import as_mapped
from channel_sync.persistence.order_versions import keep_former
from channel_sync.persistence.rows.prepared_orders import (
    BY_MERCHANT,
    PUBLIC_DIGEST_BYTES,
    OrderRow,
    PersonalParts,
    as_stored,
    newest_of,
)
from channel_sync.persistence.rows.timestamps import moment
from channel_sync.persistence.sql.any_of import any_of, any_of_given
from channel_sync.persistence.sql.export_rows import EXPORTED, EXPORTED_PERSONAL, ExportedOrder, exported_of
from channel_sync.persistence.sql.feeds import FeedWrites
from channel_sync.persistence.sql.order_rows import READ, READ_PERSONAL, order_of
from channel_sync.persistence.sql.paging import Page, PageRequest, as_position, page_of
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import IS_TO_SHIP, held_orders, orders
from channel_sync.persistence.stored_pages import StoredChange, StoredPage, contradicting_ids, decided

_row = orders.c
_LOCK_ACCOUNT = select(accounts.c.id).where(accounts.c.id == bindparam("of")).with_for_update()
_KNOWN = select(
    _row.channel_order_id,
    _row.id,
    _row.version,
    _row.state,
    _row.channel_updated_at,
    _row.digest,
    _row.stored_at,
    _row.erased,
).where(_row.account_id == bindparam("of"), any_of_given(_row.channel_order_id, "ids"))
_FORGOTTEN = select(held_orders.c.identity).where(
    held_orders.c.account_id == bindparam("of"), held_orders.c.erased, any_of_given(held_orders.c.identity, "ids")
)
_OPEN_STATES = (OrderState.IN_REVIEW, OrderState.APPROVED)


@dataclass(frozen=True, slots=True)
class OrderFeedQuery:
    """Which orders of the feed. `updated_after` is the marketplace's time."""

    integration_id: str | None = None
    state: OrderState | None = None
    updated_after: datetime | None = None
    ship_by_before: datetime | None = None
    acknowledged: bool | None = None
    fulfilment: Fulfilment | None = None
    channel_order_id: str | None = None
    transaction_id: str | None = None


class OrderRepository:
    """Orders of every tenant. They belong to accounts and show the account's last integration."""

    def __init__(self, session: Session, parts: PersonalParts, feeds: FeedWrites) -> None:
        self._session = session
        self._parts = parts
        self._feeds = feeds

    async def store_rows(
        self, account: Account, rows: Sequence[OrderRow], asks: bool = False, asked_at: datetime | None = None
    ) -> StoredPage:
        """Store what is new or newer as the transaction ends. Repeating it, or an older page, writes nothing.

        An order that stands twice in the page counts once as what it is and again as ignored. The rows are made
        before, which takes longer than this transaction should.

        Whoever `asks` for orders that contradict what is stored finds them left alone, if they are few. The answer
        to that, of `asked_at`, counts whatever its time, unless the order was stored since.
        """
        newest = newest_of(rows)
        known = await self._known(account.id, list(newest))
        forgotten = await self._forgotten(account.id, newest)
        decisions = decided(newest, known, asked_at)
        contradicting = contradicting_ids(decisions) if asks else set()
        seen: Counter[Change] = Counter()
        created: list[OrderRow] = []
        updated: list[StoredChange] = []
        cipher = self._parts.cipher
        for id, row in newest.items():
            if id not in known:
                erased = id in forgotten
                created.append(as_stored(row, row.id, 1, erased, cipher) if erased else row)
            elif id not in contradicting:
                decision = decisions[id]
                seen[decision.change] += 1
                if decision.change is Change.UPDATED:
                    updated.append(decision.as_change(row, cipher))
        await keep_former(self._session, [change.row.id for change in updated])
        await self._set_back([change.row for change in updated if change.went_back])
        fresh_rows = await as_mapped(self._session, account.id, created)
        self._feeds.add_orders(account.tenant, [*fresh_rows, *(change.row for change in updated)])
        seen[Change.CREATED] = len(created)
        seen[Change.IGNORED] += len(rows) - len(newest)
        counts = Counts(**{change.value: count for change, count in seen.items()})
        return StoredPage(counts, created, updated, contradicting)

    async def _set_back(self, rows: Sequence[OrderRow]) -> None:
        """Let versions take the places of those that had a later time."""
        for row in rows:
            back = update(orders).where(_row.id == row.id)
            await self._session.execute(back.values(channel_updated_at=moment(row.channel_updated_at)))

    async def _known(self, account_id: str, channel_order_ids: list[str]) -> dict[str, Row[*tuple[Any, ...]]]:
        if self._session.postgres:
            await self._lock(account_id)
        rows = await self._session.rows(_KNOWN, {"of": account_id, "ids": channel_order_ids})
        return {row.channel_order_id: row for row in rows}

    async def _lock(self, account_id: str) -> None:
        """Let one page of an account be stored at a time: what was read is still so when it is written."""
        if await self._session.value(_LOCK_ACCOUNT, {"of": account_id}) is None:
            raise NotFound("account")

    async def _forgotten(self, account_id: str, channel_order_ids: Collection[str]) -> set[str]:
        """Those whose buyer was forgotten while they could not be used."""
        return set(await self._session.column(_FORGOTTEN, {"of": account_id, "ids": channel_order_ids}))

    async def feed(self, tenant: str, query: OrderFeedQuery, page: PageRequest, personal: bool) -> Page[Order]:
        """A page of orders in the order they were stored; an updated order stands at its newest place only."""
        found = await self._page(READ_PERSONAL if personal else READ, tenant, query, page)
        return Page([order_of(row, self._parts) for row in found.items], found.next)

    async def exported(
        self, tenant: str, query: OrderFeedQuery, page: PageRequest, personal: bool
    ) -> Page[ExportedOrder]:
        """The same page as it is exported."""
        found = await self._page(EXPORTED_PERSONAL if personal else EXPORTED, tenant, query, page)
        return Page([exported_of(row, self._parts) for row in found.items], found.next)

    async def _page(
        self, columns: Sequence[ColumnElement[Any]], tenant: str, query: OrderFeedQuery, page: PageRequest
    ) -> Page[Row[*tuple[Any, ...]]]:
        statement = _read(columns).where(_row.tenant == tenant, *await self._wanted(tenant, query))
        if page.after is not None:
            statement = statement.where(_row.position > as_position(page.after[0]))
        # Few are to be shipped soon: they are sorted, rather than the whole feed gone through for them.
        place = _row.position if query.ship_by_before is None else _row.position + 0
        rows = await self._session.rows(statement.order_by(place).limit(page.limit + 1))
        return page_of(rows, page, lambda row: (row.position,))

    async def _wanted(self, tenant: str, query: OrderFeedQuery) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        is_open = query.state in _OPEN_STATES
        if query.state is not None:
            # The few open ones have an index, which is seen to have them all where the statement itself names the
            # state. It has the shop, too; the shop's own would be walked from end to end.
            wanted.append(_row.state == (literal_column(f"'{query.state.value}'") if is_open else query.state))
        if query.integration_id is not None:
            shop = _row.account_id.concat("") if is_open else _row.account_id
            wanted.append(shop.in_(await self._accounts(tenant, query.integration_id)))
        elif query.channel_order_id is not None:
            mine = await self._accounts(tenant, None)
            # PostgreSQL takes 32 767 parameters; SQLite would walk the whole feed rather than look in a list.
            many = self._session.postgres
            wanted.append(any_of(_row.account_id, mine) if many else _row.account_id.in_(mine))
        if query.ship_by_before is not None:
            wanted += [literal_column(IS_TO_SHIP, Boolean), _row.ship_by <= query.ship_by_before]
        if query.fulfilment is not None:
            wanted.append(self._is_by(query.fulfilment))
        if query.updated_after is not None:
            wanted.append(_row.channel_updated_at > query.updated_after)
        if query.acknowledged is not None:
            is_fresh = _row.acknowledged_at.is_(None)
            wanted.append(~is_fresh if query.acknowledged else is_fresh)
        for column in (_row.channel_order_id, _row.transaction_id):
            if (value := getattr(query, column.name)) is not None:
                wanted.append(column == value)
        return wanted

    def _is_by(self, fulfilment: Fulfilment) -> ColumnElement[bool]:
        """Looked up in the text, which no index knows: for those that few other rows are left of."""
        place = func.strpos if self._session.postgres else func.instr
        found = place(_row.content, BY_MERCHANT)
        return found > 0 if fulfilment is Fulfilment.MERCHANT else found == 0

    async def _accounts(self, tenant: str, integration_id: str | None) -> list[str]:
        """Read apart, so that one account's orders come straight from an index in feed order."""
        statement = select(accounts.c.id).where(accounts.c.tenant == tenant)
        if integration_id is not None:
            statement = statement.where(accounts.c.integration_id == integration_id)
        return await self._session.column(statement)

    async def get(self, tenant: str, order_id: str, personal: bool) -> Order:
        """The order, or `NotFound`."""
        columns = READ_PERSONAL if personal else READ
        row = await self._session.row(_read(columns).where(_row.id == order_id, _row.tenant == tenant))
        if row is None:
            raise NotFound("order")
        return order_of(row, self._parts)

    async def some(self, tenant: str, order_ids: Collection[str], personal: bool = False) -> list[Order]:
        """Those of the orders that the tenant has."""
        wanted = _read(READ_PERSONAL if personal else READ)
        rows = await self._session.rows(wanted.where(_row.tenant == tenant, any_of(_row.id, order_ids)))
        return [order_of(row, self._parts) for row in rows]

    async def newest_change(self, account: Account, latest: datetime) -> datetime | None:
        """The newest time of change of the account's orders, those later than `latest` left out."""
        mine = (_row.account_id == account.id, _row.tenant == account.tenant, _row.channel_updated_at <= latest)
        at: datetime | None = await self._session.value(select(func.max(_row.channel_updated_at)).where(*mine))
        return at

    async def count_open(self, account_id: str) -> int:
        """How many of the account's orders are neither shipped nor given up."""
        mine = (_row.account_id == account_id, _row.state.in_(_OPEN_STATES))
        return int(await self._session.value(select(func.count()).select_from(orders).where(*mine)))

    async def acknowledge(
        self, tenant: str, ids: Sequence[str], now: datetime, by: str | None = None
    ) -> list[str]:
        """Mark orders as taken over by the consumer as they stand; those there are. The first moment stays."""
        return await self._acknowledge([_row.tenant == tenant, any_of(_row.id, ids)], now, by)

    async def acknowledge_versions(
        self, tenant: str, read: Sequence[tuple[str, int]], now: datetime, by: str | None = None
    ) -> tuple[list[str], list[str]]:
        """The same at the versions that were read: ids of those that are, and of those that changed since."""
        mine = [_row.tenant == tenant, any_of(_row.id, [order_id for order_id, _ in read])]
        done = await self._acknowledge([*mine, tuple_(_row.id, _row.version).in_(read)], now, by)
        found = await self._session.column(select(_row.id).where(*mine))
        return done, [order_id for order_id in found if order_id not in set(done)]

    async def _acknowledge(self, wanted: list[ColumnElement[bool]], now: datetime, by: str | None) -> list[str]:
        fresh_ones = update(orders).where(*wanted, _row.acknowledged_at.is_(None))
        receipt = {"acknowledged_at": now, "acknowledged_version": _row.version, "acknowledged_by": by}
        await self._session.execute(fresh_ones.values(receipt))
        # Asked for afterwards: one that changed while the statement waited for it counts as it is now.
        return await self._session.column(select(_row.id).where(*wanted, _row.acknowledged_at.is_not(None)))

    async def ids_of(self, tenant: str, channel_order_ids: Sequence[str]) -> list[str]:
        """Our ids of the marketplace's, in every shop of the tenant."""
        shops = select(accounts.c.id).where(accounts.c.tenant == tenant)
        mine = (
            _row.account_id.in_(shops),
            _row.tenant == tenant,
            any_of(_row.channel_order_id, channel_order_ids),
        )
        return await self._session.column(select(_row.id).where(*mine)) if channel_order_ids else []

    async def behind(self, tenant: str, position: int, limit: int) -> list[OrderAge]:
        """The tenant's orders from behind a position on, in the order they were stored."""
        some = select(*columns_of(orders, OrderAge)).where(_row.tenant == tenant, _row.position > position)
        return [OrderAge(*row) for row in await self._session.rows(some.order_by(_row.position).limit(limit))]

    async def erase(self, tenant: str, ids: Sequence[str], now: datetime) -> int:
        """Wipe what is personal, for good: later versions of these orders bring it back no more. How many."""
        mine = (_row.tenant == tenant, any_of(_row.id, ids))
        same_order = (held_orders.c.account_id == _row.account_id) & (
            held_orders.c.channel_order_id == _row.channel_order_id
        )
        replies = select(held_orders.c.id).where(same_order, *mine)
        await self._session.execute(held_orders.delete().where(held_orders.c.id.in_(replies)))
        public = func.substr(_row.digest, 1, PUBLIC_DIGEST_BYTES)
        parts = dict.fromkeys(("personal", "address", "tax", "raw"))
        wiped = {**parts, "erased": True, "erased_at": now, "digest": public}
        return await self._session.change(update(orders).where(*mine, ~_row.erased).values(wiped))


def _read(columns: Sequence[ColumnElement[Any]]) -> Select[*tuple[Any, ...]]:
    return select(*columns).join_from(orders, accounts, accounts.c.id == _row.account_id)
