"""Merchant accounts at marketplaces: owners of orders, listings and cursor, longer lived than integrations."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, func, insert, null, or_, select, union, update

from channel_sync.domain.brakes import Brake
from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import NotFound
from channel_sync.domain.integrations import Account
from channel_sync.domain.listings import Omitted
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.sql.any_of import any_of_given
from channel_sync.persistence.sql.tables import accounts, integrations

_row = accounts.c
_COLUMNS = [
    _row.id,
    _row.tenant,
    _row.channel,
    _row.environment,
    _row.merchant_id,
    _row.client_id,
    case((_row.attached, _row.integration_id), else_=null()).label("integration_id"),
    _row.shop_name,
    _row.order_cursor,
    _row.listings_at,
    _row.resend_after,
    _row.omitted,
    _row.brake,
    _row.brake_released_at,
]
_CURSORS = select(_row.id, _row.order_cursor).where(any_of_given(_row.id, "ids"))
_MOVE_CURSOR = (
    update(accounts)
    .where(_row.id == bindparam("of"), or_(_row.order_cursor.is_(None), _row.order_cursor < bindparam("to")))
    .values(order_cursor=bindparam("to"))
)
_READ_MANY = select(*_COLUMNS).where(any_of_given(_row.id, "ids"))


class AccountRepository:
    """Accounts. `integration_id` of a detached one is None, though its orders still show the last one."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, tenant: str, channel: str, environment: Environment, merchant_id: str) -> Account | None:
        """The tenant's account of that merchant."""
        row = await self._session.row(
            select(*_COLUMNS).where(
                _row.tenant == tenant,
                _row.channel == channel,
                _row.environment == environment,
                _row.merchant_id == merchant_id,
            )
        )
        return None if row is None else Account(*row)

    async def get(self, account_id: str) -> Account:
        """The account, or `NotFound`."""
        row = await self._session.row(select(*_COLUMNS).where(_row.id == account_id))
        if row is None:
            raise NotFound("account")
        return Account(*row)

    async def find_all(self, account_ids: Collection[str]) -> dict[str, Account]:
        """These accounts, by id."""
        rows = await self._session.rows(_READ_MANY, {"ids": account_ids})
        return {account.id: account for account in (Account(*row) for row in rows)}

    async def order_cursors(self, account_ids: Collection[str]) -> dict[str, datetime | None]:
        """How far the orders of each account are downloaded."""
        return {row[0]: row[1] for row in await self._session.rows(_CURSORS, {"ids": account_ids})}

    async def reserve(self, channel: str, environment: Environment, client_id: str, merchant_id: str) -> None:
        """Let no other transaction take this merchant with this app, of whichever tenant, until this one ends.

        What two tenants do at once neither sees of the other; on SQLite there is one writer.
        """
        if self._session.postgres:
            name = f"{channel} {environment} {client_id} {merchant_id}"
            lock = func.pg_advisory_xact_lock(func.hashtextextended(name, 0))
            await self._session.value(select(lock))

    async def used_elsewhere(
        self, tenant: str, channel: str, environment: Environment, client_id: str, merchant_id: str
    ) -> bool:
        """Whether another tenant is connected to this merchant with this app."""
        found = await self._session.value_of_any_tenant(
            select(_row.id)
            .where(
                _row.channel == channel,
                _row.environment == environment,
                _row.client_id == client_id,
                _row.merchant_id == merchant_id,
                _row.tenant != tenant,
                _row.attached,
            )
            .limit(1)
        )
        return found is not None

    async def holders(self, channel: str, environment: Environment, client_id: str, merchant_id: str) -> list[str]:
        """Ids of the integrations of any tenant that have the merchant's shop by this app, drafts among them."""
        owners = select(_row.integration_id).where(
            _row.channel == channel,
            _row.environment == environment,
            _row.client_id == client_id,
            _row.merchant_id == merchant_id,
            _row.attached,
        )
        draft = integrations.c
        drafts = select(draft.id).where(
            draft.activated_at.is_(None),
            draft.removed_at.is_(None),
            draft.access_token_last4.is_not(None),
            draft.channel == channel,
            draft.environment == environment,
            draft.client_id == client_id,
            draft.merchant_id == merchant_id,
        )
        return await self._session.column(union(owners, drafts))

    async def add(self, account: Account) -> None:
        """Store a new account; `Conflict` if the tenant has one of that merchant."""
        values: dict[str, Any] = {column.name: getattr(account, column.name) for column in _COLUMNS}
        values["attached"] = account.integration_id is not None
        await self._session.execute(insert(accounts).values(values))

    async def attach(self, account_id: str, integration_id: str, client_id: str, shop_name: str | None) -> None:
        """Give the account to an integration; its orders show that one from now on."""
        await self._session.execute(
            update(accounts)
            .where(_row.id == account_id)
            .values(integration_id=integration_id, attached=True, client_id=client_id, shop_name=shop_name)
        )

    async def detach(self, integration_id: str) -> None:
        """Free the account of a removed integration for another."""
        await self._session.execute(
            update(accounts).where(_row.integration_id == integration_id).values(attached=False)
        )

    async def move_cursor(self, account_id: str, at: datetime) -> None:
        """Move the order cursor forward; it never goes back."""
        await self._session.execute(_MOVE_CURSOR, {"of": account_id, "to": at})

    async def set_omitted(self, account_id: str, omitted: Omitted | None) -> None:
        """Remember what becomes of warehouses that a stock write does not name."""
        await self._session.execute(update(accounts).where(_row.id == account_id).values(omitted=omitted))

    async def apply_brake(self, account_id: str, brake: Brake) -> bool:
        """Let no stock of the account be sent any more; false where it is so already."""
        free = update(accounts).where(_row.id == account_id, _row.brake.is_(None))
        return await self._session.change(free.values(brake=brake)) == 1

    async def release_brake(self, account_id: str, now: datetime) -> bool:
        """Let what waits now be sent; false where no brake holds it."""
        held = update(accounts).where(_row.id == account_id, _row.brake.is_not(None))
        return await self._session.change(held.values(brake=None, brake_released_at=now)) == 1

    async def set_cursor(self, account_id: str, at: datetime | None) -> None:
        """Put the order cursor where it belongs, wherever it stands."""
        await self._session.execute(update(accounts).where(_row.id == account_id).values(order_cursor=at))

    async def set_listings_at(self, account_id: str, at: datetime, is_whole: bool) -> None:
        """Remember up to when the listings are known; all of them if the catalogue could be read as a whole."""
        known = {"listings_at": at} | ({"catalogue_at": at} if is_whole else {})
        await self._session.execute(update(accounts).where(_row.id == account_id).values(known))
