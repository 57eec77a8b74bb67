"""Rules of single SKUs and listings, and what changed rules mean for listings that were told their stock."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from channel_sync.domain.errors import NotFound
from channel_sync.domain.listings import Waiting
from channel_sync.domain.stock import Arithmetic, UnitRules, free_of
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.listing_mapping import lock_stock_of, want_of
from channel_sync.persistence.listing_rows import AGAIN, LEVEL_OF_SKU, RULES_OF_SKU, WAITING
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.paging import Page, PageRequest, page_of
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import listings, sku_rules, stock_levels

_row = listings.c
_AT_ONCE = 500
_TOLD = (
    select(*WAITING, _row.stock_sku, _row.wanted_version, _row.settled_version)
    .join_from(listings, stock_levels, LEVEL_OF_SKU, isouter=True)
    .outerjoin(sku_rules, RULES_OF_SKU)
)


class StockRuleRepository:
    """Rules of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of_skus(self, tenant: str, skus: Collection[str]) -> dict[str, UnitRules]:
        """The rules of each SKU; one without any is missing."""
        mine = (sku_rules.c.tenant == tenant, any_of(sku_rules.c.sku, skus))
        rows = await self._session.rows(select(sku_rules.c.sku, sku_rules.c.rules).where(*mine))
        return {sku: rules for sku, rules in rows}

    async def set_for_skus(self, tenant: str, rules: Mapping[str, UnitRules]) -> None:
        """Give each SKU these rules in every shop, or none. Nobody else writes the tenant's stock meanwhile."""
        await lock_stock_of(self._session, tenant)
        mine = (sku_rules.c.tenant == tenant, any_of(sku_rules.c.sku, rules))
        await self._session.execute(delete(sku_rules).where(*mine))
        values = [{"tenant": tenant, "sku": sku, "rules": own} for sku, own in rules.items() if own != UnitRules()]
        if values:
            await self._session.execute(insert(sku_rules), values)

    async def page_of_skus(
        self, tenant: str, page: PageRequest, sku: str | None = None
    ) -> Page[tuple[str, UnitRules]]:
        """A page of the tenant's SKUs that have rules, with them; or this SKU alone, if it has any."""
        statement = select(sku_rules.c.sku, sku_rules.c.rules).where(sku_rules.c.tenant == tenant)
        if sku is not None:
            statement = statement.where(sku_rules.c.sku == sku)
        if page.after is not None:
            statement = statement.where(sku_rules.c.sku > str(page.after[0]))
        rows = await self._session.rows(statement.order_by(sku_rules.c.sku).limit(page.limit + 1))
        return page_of([(row[0], row[1]) for row in rows], page, lambda one: (one[0],))

    async def set_for_listing(
        self, tenant: str, listing_id: str, rules: UnitRules, excluded: bool, now: datetime
    ) -> None:
        """Give the listing these rules of its own, or none, and tell it nothing any more if it is `excluded`.

        `NotFound` where there is no such listing. One that is let in again is told its level, whatever it shows.
        """
        await lock_stock_of(self._session, tenant)
        mine = (_row.id == listing_id, _row.tenant == tenant)
        before = await self._session.row(select(_row.excluded).where(*mine))
        if before is None:
            raise NotFound("listing")
        own = None if rules == UnitRules() else rules
        again = AGAIN if before.excluded and not excluded else {}
        await self._session.execute(update(listings).where(*mine).values(rules=own, excluded=excluded, **again))
        await want_of(self._session, [listing_id], now)

    async def again(self, listing_ids: Collection[str], now: datetime) -> None:
        """Let these be told their level again, for it means other units now."""
        fed = (any_of(_row.id, listing_ids), _row.wanted_version > 0)
        await self._session.execute(update(listings).where(*fed).values(AGAIN | {"wanted_at": now}))

    async def changed(self, account_id: str) -> None:
        """Note that the settings of the account's shop are others: its listings are looked through by `follow`."""
        await self._session.execute(update(accounts).where(accounts.c.id == account_id).values(resend_after=""))

    async def to_follow(self, account_id: str) -> str | None:
        """Behind which listing changed settings are still to be followed; None where that is done.

        Nobody changes that until the transaction ends, so that settings which are read now are those to go by.
        """
        mine = select(accounts.c.resend_after).where(accounts.c.id == account_id)
        after: str | None = await self._session.value(mine.with_for_update())
        return after

    async def follow(self, tenant: str, account_id: str, after: str, by: Arithmetic, now: datetime) -> str | None:
        """Let those of the next few hundred listings wait again that are told other units, or in another place.

        The last one's id, where there may be more; those behind it show as waiting already. What waits anyway is
        told anew, too: it may have been planned by the settings of before.
        """
        rows = await self._next_few(tenant, account_id, after)
        await self.again([row.id for row in rows if _is_to_be_told(row, by)], now)
        rest = rows[-1].id if len(rows) == _AT_ONCE else None
        await self._session.execute(update(accounts).where(accounts.c.id == account_id).values(resend_after=rest))
        return rest

    async def to_be_told(
        self, tenant: str, account_id: str, after: str, by: Arithmetic
    ) -> tuple[list[tuple[str, Waiting]], str | None]:
        """Those of the next few hundred listings that a push would tell something by these settings, with the SKU.

        And the last one's id, where there may be more. Nothing is written.
        """
        rows = await self._next_few(tenant, account_id, after)
        told = [(row.stock_sku, Waiting(*row[: len(WAITING)])) for row in rows if _is_to_be_told(row, by)]
        return told, rows[-1].id if len(rows) == _AT_ONCE else None

    async def _next_few(self, tenant: str, account_id: str, after: str) -> Sequence[Row[*tuple[Any, ...]]]:
        mine = (_row.account_id == account_id, _row.tenant == tenant, _row.id > after)
        return await self._session.rows(_TOLD.where(*mine).order_by(_row.id).limit(_AT_ONCE))


def _is_to_be_told(row: Row[*tuple[Any, ...]], by: Arithmetic) -> bool:
    if row.wanted_version == 0 or row.available is None:
        return False
    if row.wanted_version > row.settled_version:
        return True
    place = by.settings.warehouse_id or ""
    free = free_of(row.available, row.warehouses, row.reserved)
    told = by.quantities(*free, place, row.sku_rules, row.rules)
    return dict(told) != dict(row.sent_quantities or ())
