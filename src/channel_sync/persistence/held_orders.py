"""Held orders: replies that could not be used, kept sealed until they can."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, bindparam, delete, func, literal, select, update

from channel_sync.domain.disclosure import DisclosedReply
from channel_sync.domain.errors import NotFound
from channel_sync.domain.held_orders import HeldOrder, UntriedOrder
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Account, Status
from channel_sync.domain.orders import UnreadableOrder
from channel_sync.domain.texts import storable
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.integrations import has_status
from channel_sync.persistence.rows.encryption import Cipher, Unreadable
from channel_sync.persistence.rows.sealed_columns import HELD_ORDER
from channel_sync.persistence.rows.timestamps import micros
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.bulk import BulkInsert, overwrite
from channel_sync.persistence.sql.paging import Page, PageRequest, page_of
from channel_sync.persistence.sql.tables import accounts, integrations
from channel_sync.persistence.sql.trade_tables import held_orders

_row = held_orders.c
_READ = [
    _row.id,
    accounts.c.integration_id,
    _row.channel_order_id,
    _row.reason,
    _row.pointer,
    _row.channel_request_id,
    _row.held_at,
    _row.attempts,
    _row.erased,
]
_KEY = ("id", "tenant", "account_id", "identity", "channel_order_id", "held_at")
_CHANGING = ("reason", "pointer", "channel_updated_at", "channel_request_id", "attempts", "digest", "raw")
_UPSERT = BulkInsert(
    held_orders, (*_KEY, *_CHANGING), f"ON CONFLICT (account_id, identity) DO UPDATE SET {overwrite(_CHANGING)}"
)
_ANY_HELD = select(_row.id).where(_row.account_id == bindparam("of"), _row.channel_order_id.is_not(None)).limit(1)
# No reader is called so.
_ASKED = "asked"
_DIGEST_BYTES = 16
_LONGEST_ID = 100
_LONGEST_TEXT = 500


class HeldOrderRepository:
    """Held orders of every tenant."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def hold(
        self, account: Account, unreadable: Sequence[UnreadableOrder], now: datetime
    ) -> list[HeldOrder]:
        """Hold replies; those that are new or differ from what is held. The same content again writes nothing."""
        fresh = {_identity(order): order for order in unreadable}
        known = {
            row.identity: row
            for row in await self._session.rows(
                select(_row.identity, _row.id, _row.held_at, _row.attempts, _row.digest, _row.erased).where(
                    _row.account_id == account.id, any_of(_row.identity, fresh)
                )
            )
        }
        held, rows = [], []
        for identity, order in fresh.items():
            before = known.get(identity)
            if before is not None and before.digest == _digest(order.raw):
                continue
            news = _held(account, order, before, now)
            held.append(news)
            kept = order.raw if before is None or not before.erased else b""
            rows.append((*self._values(account, identity, order, news), self._sealed(account, news.id, kept)))
        await _UPSERT.write(self._session, rows)
        return held

    def _values(self, account: Account, identity: str, order: UnreadableOrder, held: HeldOrder) -> tuple[Any, ...]:
        return (
            held.id,
            account.tenant,
            account.id,
            identity,
            held.channel_order_id,
            micros(held.held_at),
            held.reason,
            held.pointer,
            None if order.updated_at is None else micros(order.updated_at),
            held.channel_request_id,
            held.attempts,
            _digest(order.raw),
        )

    def _sealed(self, account: Account, held_id: str, raw: bytes) -> bytes:
        place = HELD_ORDER.place("raw", {"tenant": account.tenant, "id": held_id, "account_id": account.id})
        return self._cipher.seal(raw, place)

    async def release(self, account_id: str, channel_order_ids: Sequence[str]) -> None:
        """Forget replies for orders that have been stored since."""
        if await self._session.value(_ANY_HELD, {"of": account_id}) is None:
            return
        mine = (_row.account_id == account_id, _row.channel_order_id.is_not(None))
        stored = any_of(_row.identity, channel_order_ids)
        await self._session.execute(delete(held_orders).where(*mine, stored))

    async def release_one(self, held_id: str) -> None:
        """Forget one reply."""
        await self._session.execute(delete(held_orders).where(_row.id == held_id))

    async def get(self, tenant: str, held_id: str) -> HeldOrder:
        """The held order, or `NotFound`."""
        rows = await self._read(_row.tenant == tenant, _row.id == held_id, limit=1)
        if not rows:
            raise NotFound("held order")
        return HeldOrder(*rows[0])

    async def _read(self, *conditions: ColumnElement[bool], limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
        joined = select(*_READ).join_from(held_orders, accounts, accounts.c.id == _row.account_id)
        return await self._session.rows(joined.where(*conditions).order_by(_row.id.desc()).limit(limit))

    async def raw(self, held_id: str) -> bytes:
        """The reply, byte for byte; `NotFound` once it is released."""
        columns = (_row.id, _row.tenant, _row.account_id, _row.raw)
        row = await self._session.row(select(*columns).where(_row.id == held_id))
        if row is None:
            raise NotFound("held order")
        return self._cipher.open(row.raw, HELD_ORDER.place("raw", row._mapping))

    async def untried(self, channel: str, reader: str, after: str, limit: int) -> list[UntriedOrder]:
        """What active shops hold and this reader has not tried for their currency yet, behind an id."""
        currency = func.coalesce(integrations.c.default_currency, "")
        try_with = literal(f"{reader}/", type_=Text()) + currency
        asked = func.coalesce(_row.tried_with, "") == _ASKED
        columns = (_row.id, _row.tenant, _row.erased, asked, try_with)
        of_shops = accounts.join(integrations, integrations.c.id == accounts.c.integration_id)
        waiting = select(*columns).select_from(held_orders.join(of_shops, accounts.c.id == _row.account_id))
        waiting = waiting.where(_row.id > after, accounts.c.channel == channel, has_status(Status.ACTIVE))
        untried = waiting.where(_row.tried_with.is_distinct_from(try_with)).order_by(_row.id).limit(limit)
        return [UntriedOrder(*row) for row in await self._session.rows(untried)]

    async def tried(self, ids: Sequence[str], tried_with: str) -> None:
        """Note with what these were tried last."""
        await self._session.execute(update(held_orders).where(any_of(_row.id, ids)).values(tried_with=tried_with))

    async def ask_for(self, tenant: str, integration_id: str | None, reason: str | None) -> int:
        """Have what the tenant holds tried again, or what one shop holds, or for one reason; how much there is."""
        mine = [_row.tenant == tenant]
        if integration_id is not None:
            of_shop = select(accounts.c.id).where(accounts.c.integration_id == integration_id)
            mine.append(_row.account_id.in_(of_shop))
        if reason is not None:
            mine.append(_row.reason == reason)
        return await self._session.change(update(held_orders).where(*mine).values(tried_with=_ASKED))

    async def known(self, account_id: str, channel_order_ids: Sequence[str]) -> set[str]:
        """Those of the marketplace's ids that are held."""
        mine = (_row.account_id == account_id, any_of(_row.identity, channel_order_ids))
        return set(await self._session.column(select(_row.identity).where(*mine)))

    async def ids_of(self, tenant: str, channel_order_ids: Sequence[str]) -> list[str]:
        """Ids of what the tenant's shops hold of these of the marketplace's orders."""
        mine = (_row.tenant == tenant, any_of(_row.channel_order_id, channel_order_ids))
        return await self._session.column(select(_row.id).where(*mine)) if channel_order_ids else []

    async def disclosed(self, tenant: str, ids: Sequence[str]) -> list[DisclosedReply]:
        """Those of the held orders that there are, with what they say: nothing where it cannot be decrypted."""
        mine = (_row.tenant == tenant, any_of(_row.id, ids))
        kept = select(_row.id, _row.tenant, _row.account_id, _row.raw).where(*mine, ~_row.erased)
        replies = {row.id: self._opened(row) or None for row in await self._session.rows(kept)}
        held = [HeldOrder(*row) for row in await self._read(*mine, limit=len(ids))]
        return [DisclosedReply(one, replies.get(one.id)) for one in held]

    async def opened(self, tenant: str, after: str, limit: int) -> list[tuple[str, bytes]]:
        """Ids and replies of what the tenant's shops hold, from behind an id on; erased ones are left out.

        A reply that cannot be decrypted is empty.
        """
        mine = (_row.tenant == tenant, _row.id > after, ~_row.erased)
        columns = (_row.id, _row.tenant, _row.account_id, _row.raw)
        found = await self._session.rows(select(*columns).where(*mine).order_by(_row.id).limit(limit))
        return [(row.id, self._opened(row)) for row in found]

    def _opened(self, row: Row[*tuple[Any, ...]]) -> bytes:
        try:
            return self._cipher.open(row.raw, HELD_ORDER.place("raw", row._mapping))
        except Unreadable:
            return b""

    async def erase(self, tenant: str, ids: Sequence[str]) -> int:
        """Wipe these replies, for good: neither they nor the orders they become bring the buyer back. How many."""
        mine = (_row.tenant == tenant, any_of(_row.id, ids), ~_row.erased)
        columns = (_row.id, _row.tenant, _row.account_id)
        found = await self._session.rows(select(*columns).where(*mine)) if ids else ()
        for row in found:
            wiped = {"raw": self._cipher.seal(b"", HELD_ORDER.place("raw", row._mapping)), "erased": True}
            await self._session.execute(update(held_orders).where(_row.id == row.id).values(wiped))
        return len(found)

    async def erase_before(self, tenant: str, moment: datetime, limit: int) -> int:
        """The same for replies that were held before a moment, some of them; how many."""
        old = (_row.tenant == tenant, _row.held_at < moment, ~_row.erased)
        return await self.erase(tenant, await self._session.column(select(_row.id).where(*old).limit(limit)))

    async def list(
        self, tenant: str, integration_id: str | None, page: PageRequest, channel_order_id: str | None = None
    ) -> Page[HeldOrder]:
        """A page of what the tenant's shops hold, or of one shop or of one order, newest first."""
        conditions = [_row.tenant == tenant]
        if integration_id is not None:
            conditions.append(accounts.c.integration_id == integration_id)
        if channel_order_id is not None:
            conditions.append(_row.channel_order_id == channel_order_id)
        if page.after is not None:
            conditions.append(_row.id < str(page.after[0]))
        rows = await self._read(*conditions, limit=page.limit + 1)
        return page_of([HeldOrder(*row) for row in rows], page, lambda held: (held.id,))


def _told_id(order: UnreadableOrder) -> str | None:
    """The marketplace's id, if it is one that every database takes."""
    id = order.channel_order_id
    return id if id is not None and storable(id, _LONGEST_ID) == id else None


def _identity(order: UnreadableOrder) -> str:
    return _told_id(order) or f"#{_digest(order.raw).hex()}"


def _digest(raw: bytes) -> bytes:
    return blake2b(raw, digest_size=_DIGEST_BYTES).digest()


def _held(
    account: Account, order: UnreadableOrder, before: Row[*tuple[Any, ...]] | None, now: datetime
) -> HeldOrder:
    return HeldOrder(
        new_id("hld", now) if before is None else before.id,
        account.integration_id or "",
        _told_id(order),
        order.reason,
        storable(order.pointer, _LONGEST_TEXT),
        None if order.channel_request_id is None else storable(order.channel_request_id, _LONGEST_TEXT),
        now if before is None else before.held_at,
        1 if before is None else before.attempts + 1,
        before is not None and before.erased,
    )
