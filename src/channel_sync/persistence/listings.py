"""Listings: what the marketplace offers, and the map of SKUs."""

from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Mappings
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, TextClause, bindparam, case, func, null, select, text, tuple_, update

from channel_sync.domain.errors import NotFound
from channel_sync.domain.ids import new_ids
from channel_sync.domain.integrations import Account
from channel_sync.domain.listings import ChannelListing, Listing, Mapping, PushState
from channel_sync.domain.runs import Counts
from channel_sync.persistence.drifts import mark_drifts
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.listing_changes import KNOWN, Known, ListingChange
from channel_sync.persistence.listing_mapping import Newcomer, lock_stock_of, map_anew
from channel_sync.persistence.listing_rows import UPSERT, effective_sku, read
from channel_sync.persistence.sql.any_of import any_of, each_of
from channel_sync.persistence.sql.paging import Page, PageRequest, page_of
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import (
    CEASES,
    IS_BY_HAND,
    IS_EXCLUDED,
    IS_MARKED,
    IS_NOT_WRITABLE,
    IS_UNFED,
    listings,
)
from channel_sync.persistence.stock_counts import MOST_WAITING

_row = listings.c


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """Which listings. `sku` is one that feeds them or that they have themselves; `state` rejected or drifted."""

    mapping: Mapping | None = None
    sku: str | None = None
    writable: bool | None = None
    excluded: bool | None = None
    push_code: str | None = None
    state: PushState | None = None


class Remapped(NamedTuple):
    """A listing that was mapped to another SKU by hand; `sku` is None where its own counts again.

    No integration owns one whose shop was removed.
    """

    account_id: str
    integration_id: str | None
    variation_id: str
    sku: str | None


EVERY_LISTING = ListingQuery()
_FIND_KNOWN = each_of(_row.account_id, _row.variation_id, KNOWN)
_MAP_BY_HAND = (
    update(listings)
    .where(_row.id == bindparam("of"))
    .values(mapped_sku=bindparam("by_hand"), stock_sku=bindparam("fed_by"), mapping=bindparam("so_far"))
)


class ListingRepository:
    """Listings of every tenant; like orders they belong to accounts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def replace(
        self, account_id: str, fresh: Sequence[ChannelListing], now: datetime, seen_at: datetime | None = None
    ) -> Counts:
        """Store listings as the marketplace had them at `seen_at`, and map the new and those with another SKU.

        Only those that differ are written. Others wait meanwhile, so of many give a few hundred at a time. Units
        that were seen later, or may just be changing, stay; those that are not as confirmed are marked.
        """
        tenant = await self._session.value(select(accounts.c.tenant).where(accounts.c.id == account_id))
        await lock_stock_of(self._session, tenant)
        newest = {listing.variation_id: listing for listing in fresh}
        changes = await self._changes(account_id, newest, now, seen_at or now)
        news = [change for change in changes if change.is_news]
        await UPSERT.write(self._session, [change.row(tenant, account_id) for change in news])
        newcomers = [newcomer for change in changes if (newcomer := change.newcomer) is not None]
        left = {sku for change in news if (sku := change.left_sku) is not None}
        await map_anew(self._session, account_id, newcomers, left, now)
        await mark_drifts(self._session, [drift for change in changes if (drift := change.drift) is not None])
        created = sum(change.before is None for change in changes)
        unchanged = len(newest) - len(news)
        return Counts(created, len(news) - created, unchanged, ignored=len(fresh) - len(newest))

    async def _changes(
        self, account_id: str, newest: dict[str, ChannelListing], now: datetime, seen_at: datetime
    ) -> list[ListingChange]:
        found = await self._session.rows(
            _FIND_KNOWN[self._session.postgres], {"owner": account_id, "these": newest.keys()}
        )
        known = {row.variation_id: row for row in found}
        fresh_ids = iter(new_ids("lst", now, len(newest) - len(known)))
        return [
            ListingChange(
                known[place].id if place in known else next(fresh_ids), known.get(place), listing, seen_at
            )
            for place, listing in newest.items()
        ]

    async def there(self, account: Account, after: str, limit: int) -> list[tuple[str, str]]:
        """Listings that are not gone, as pairs of their id and their variation's: so many behind an id."""
        mine = (_row.account_id == account.id, _row.tenant == account.tenant, _row.id > after)
        there = select(_row.id, _row.variation_id).where(*mine, _row.mapping != Mapping.GONE)
        some = there.order_by(_row.id).limit(limit)
        return [(row[0], row[1]) async for rows in self._session.parts(some) for row in rows]

    async def there_of(self, account: Account, product_ids: Collection[str]) -> list[tuple[str, str]]:
        """The same of some products."""
        mine = (_row.account_id == account.id, any_of(_row.product_id, product_ids))
        rows = await self._session.rows(
            select(_row.id, _row.variation_id).where(*mine, _row.mapping != Mapping.GONE)
        )
        return [(row[0], row[1]) for row in rows]

    async def mark_gone(self, account: Account, ids: Collection[str], now: datetime) -> int:
        """Note that these are no longer at the marketplace; how many. Whom their SKUs feed instead is told."""
        await lock_stock_of(self._session, account.tenant)
        marked = update(listings).where(any_of(_row.id, ids), _row.mapping != Mapping.GONE)
        over = {"mapping": Mapping.GONE, "wanted_version": 0, "push_state": None, "differs_since": None}
        gone = marked.values(over).returning(_row.stock_sku)
        left = await self._session.column(gone)
        await map_anew(self._session, account.id, (), {sku for sku in left if sku is not None}, now)
        return len(left)

    async def set_mapped_skus(
        self, tenant: str, wanted: Mappings[str, str | None], now: datetime
    ) -> dict[str, Remapped | None]:
        """Map listings by hand, by their ids, or by their own SKU again, and what came of each.

        None where it was mapped so before; one that the tenant does not have is missing. Others wait meanwhile.
        """
        await lock_stock_of(self._session, tenant)
        mine = (any_of(_row.id, wanted), _row.tenant == tenant)
        owner = case((accounts.c.attached, accounts.c.integration_id), else_=null()).label("integration_id")
        joined = select(_row.account_id, owner, *KNOWN).join_from(listings, accounts)
        known = await self._session.rows(joined.where(*mine).order_by(_row.id))
        changed = [before for before in known if before.mapped_sku != wanted[before.id]]
        if changed:
            await self._session.execute(_MAP_BY_HAND, [_by_hand(before, wanted[before.id]) for before in changed])
        for account_id in {before.account_id for before in changed}:
            await self._map(account_id, [one for one in changed if one.account_id == account_id], wanted, now)
        unchanged: dict[str, Remapped | None] = {before.id: None for before in known}
        return unchanged | {
            one.id: Remapped(one.account_id, one.integration_id, one.variation_id, wanted[one.id])
            for one in changed
        }

    async def _map(
        self, account_id: str, changed: Sequence[Known], wanted: Mappings[str, str | None], now: datetime
    ) -> None:
        there = [before for before in changed if before.mapping is not Mapping.GONE]
        newcomers = [
            Newcomer(
                before.id,
                effective_sku(wanted[before.id], before.sku),
                is_rival=wanted[before.id] is None and before.writable,
            )
            for before in there
        ]
        left = {before.stock_sku for before in there if before.stock_sku is not None}
        await map_anew(self._session, account_id, newcomers, left, now)

    async def get(self, tenant: str, listing_id: str) -> Listing:
        """The listing, or `NotFound`."""
        row = await self._session.row(read(tenant).where(_row.id == listing_id))
        if row is None:
            raise NotFound("listing")
        return Listing(*row)

    async def of_variation(self, tenant: str, account_id: str, variation_id: str) -> Listing | None:
        """The listing of an account's variation, if it is in the catalogue."""
        mine = (_row.account_id == account_id, _row.variation_id == variation_id)
        row = await self._session.row(read(tenant).where(*mine))
        return None if row is None else Listing(*row)

    async def by_skus(self, tenant: str, skus: Sequence[str]) -> dict[str, list[Listing]]:
        """Every listing that each of the SKUs feeds, or would feed if its mapping were clear.

        A SKU that feeds nothing is missing.
        """
        statement = read(tenant).where(any_of(_row.stock_sku, skus)).order_by(_row.id)
        found: dict[str, list[Listing]] = {}
        for listing in [Listing(*row) for row in await self._session.rows(statement)]:
            found.setdefault(listing.stock_sku or "", []).append(listing)
        return found

    async def ids_of(self, tenant: str, sold: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Our ids of variations, each named with its integration; one that is not in the catalogue is missing."""
        shops = {integration_id for integration_id, _ in sold}
        mine = (accounts.c.tenant == tenant, any_of(accounts.c.integration_id, shops))
        found = await self._session.rows(select(accounts.c.integration_id, accounts.c.id).where(*mine))
        account_of = {integration_id: account_id for integration_id, account_id in found}
        pairs = [(account_of[shop], variation_id) for shop, variation_id in sold if shop in account_of]
        if not pairs:
            return {}
        # Pairs: shops by variations would be as many looks as a page has of both.
        theirs = tuple_(_row.account_id, _row.variation_id).in_(pairs)
        rows = await self._session.rows(select(_row.account_id, _row.variation_id, _row.id).where(theirs))
        listing_of = {(account_id, variation_id): listing_id for account_id, variation_id, listing_id in rows}
        wanted = {(shop, variation_id): (account_of.get(shop, ""), variation_id) for shop, variation_id in sold}
        return {one: listing_of[pair] for one, pair in wanted.items() if pair in listing_of}

    async def is_any_ceasing(self, account_id: str) -> bool:
        """Whether `note_ceased` would find any."""
        ceasing = select(_row.id).where(_row.account_id == account_id, text(CEASES)).limit(1)
        return await self._session.value(ceasing) is not None

    async def note_ceased(self, account_id: str, limit: int) -> list[tuple[str, Mapping]]:
        """Listings that were told their stock before and are passed over now, with their mapping; each once."""
        some = select(_row.id).where(_row.account_id == account_id, text(CEASES)).order_by(_row.id).limit(limit)
        noted = update(listings).where(_row.id.in_(some)).values(push_state=PushState.SKIPPED)
        rows = await self._session.rows(noted.returning(_row.id, _row.mapping))
        return [(row[0], row[1]) for row in rows]

    async def has_ceased(self, account_id: str) -> bool:
        """Whether any that were told their stock before are passed over, though they are at the marketplace."""
        mine = (_row.account_id == account_id, text(IS_MARKED), _row.push_state == PushState.SKIPPED)
        there = select(_row.id).where(*mine, _row.mapping != Mapping.GONE).limit(1)
        return await self._session.value(there) is not None

    async def count_mapped(self, account_id: str) -> int:
        """How many of the account's listings a SKU feeds, counted up to `MOST_WAITING`."""
        mine = (_row.account_id == account_id, _row.mapping == Mapping.MAPPED)
        some = select(_row.id).where(*mine).limit(MOST_WAITING).subquery()
        return int(await self._session.value(select(func.count()).select_from(some)))

    async def count_fed(self, account_id: str) -> int:
        """How many of the account's listings are told their stock, or would be if their SKU had a level."""
        fed = (_row.account_id == account_id, _row.mapping == Mapping.MAPPED, _row.writable, ~_row.excluded)
        return int(await self._session.value(select(func.count()).where(*fed)))

    async def _with_sku(self, tenant: str, account_ids: Sequence[str], sku: str) -> Sequence[str]:
        """Ids of their listings that the SKU feeds, or that have it themselves but are mapped to another.

        The accounts are told apart here, lest SQLite walks a whole shop instead of the few with the SKU.
        """
        fed = select(_row.id, _row.account_id).where(_row.tenant == tenant, _row.stock_sku == sku)
        theirs = any_of(_row.account_id, account_ids)
        by_hand = select(_row.id).where(theirs, text(IS_BY_HAND), _row.sku == sku)
        of_sku = [row.id for row in await self._session.rows(fed) if row.account_id in account_ids]
        return [*of_sku, *await self._session.column(by_hand)]

    async def list(
        self, tenant: str, integration_id: str, page: PageRequest, query: ListingQuery = EVERY_LISTING
    ) -> Page[Listing]:
        """A page of the integration's listings."""
        mine = (accounts.c.tenant == tenant, accounts.c.integration_id == integration_id)
        account_ids = await self._session.column(select(accounts.c.id).where(*mine))
        # Only the listings of one account come straight from an index in their order.
        theirs = (
            _row.account_id == account_ids[0] if len(account_ids) == 1 else any_of(_row.account_id, account_ids)
        )
        statement = read(tenant).where(theirs, *_narrowed(query))
        if query.sku is not None:
            statement = statement.where(any_of(_row.id, await self._with_sku(tenant, account_ids, query.sku)))
        if page.after is not None:
            statement = statement.where(_row.id > str(page.after[0]))
        rows = await self._session.rows(statement.order_by(_row.id).limit(page.limit + 1))
        return page_of([Listing(*row) for row in rows], page, lambda listing: (listing.id,))


def _by_hand(before: Known, sku: str | None) -> dict[str, Any]:
    """How the row is for `_MAP_BY_HAND`. One that the same SKU feeds as before goes on being fed."""
    fed_by = effective_sku(sku, before.sku)
    stays = before.mapping is Mapping.GONE or (sku is not None and fed_by == before.stock_sku)
    so_far = before.mapping if stays else Mapping.UNMAPPED
    return {"of": before.id, "by_hand": sku, "fed_by": fed_by, "so_far": so_far}


def _narrowed(query: ListingQuery) -> Iterator[ColumnElement[bool] | TextClause]:
    if query.mapping is not None:
        yield _row.mapping == query.mapping
        if query.mapping is not Mapping.MAPPED:
            yield text(IS_UNFED)
    if query.writable is not None:
        yield text("writable" if query.writable else IS_NOT_WRITABLE)
    if query.push_code is not None:
        yield _row.push_code == query.push_code
    if (state := query.state or (query.push_code and PushState.REJECTED)) is not None:
        yield text(IS_MARKED)
        yield _row.push_state == state
    if query.excluded is not None:
        yield text(IS_EXCLUDED if query.excluded else f"NOT {IS_EXCLUDED}")
