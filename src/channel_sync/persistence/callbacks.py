"""Codes that came back without a state, and the grants that wait until a person says whose they are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, exists, select, update

from channel_sync.domain.channel import Grant
from channel_sync.domain.codes import CallbackError
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.persistence.rows.sealed_columns import CALLBACK
from channel_sync.persistence.sql.consent_tables import attempts, callbacks

_row = callbacks.c


@dataclass(frozen=True, slots=True)
class KeptCallback:
    """A code that came without a state. It has an `error`, or a merchant once the marketplace has answered.

    `integration_id` is who got the grant.
    """

    id: str
    tenant: str
    attempt_id: str
    code_hash: str
    created_at: datetime
    error: CallbackError | None = None
    merchant_id: str | None = None
    shop_name: str | None = None
    warehouse_id: str | None = None
    integration_id: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether it is known what the code was good for."""
        return self.error is not None or self.merchant_id is not None


_COLUMNS = columns_of(callbacks, KeptCallback)


class CallbackRepository:
    """Callbacks without a state. Each code is there once, whoever brings it how often."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def add(self, kept: KeptCallback) -> bool:
        """Store a code that is about to be redeemed; false where it is known already."""
        values = {column.name: getattr(kept, column.name) for column in _COLUMNS}
        new = self._session.insert(callbacks).values(values).on_conflict_do_nothing(index_elements=["code_hash"])
        return await self._session.change(new) == 1

    async def get(self, callback_id: str) -> KeptCallback | None:
        """The callback as it is now."""
        return await self._one(_row.id == callback_id)

    async def by_code(self, code_hash: str) -> KeptCallback | None:
        """What the code was good for, if it came before."""
        return await self._one(_row.code_hash == code_hash)

    async def _one(self, condition: ColumnElement[bool]) -> KeptCallback | None:
        row = await self._session.row(select(*_COLUMNS).where(condition))
        return None if row is None else KeptCallback(*row)

    async def fail(
        self, callback_id: str, error: CallbackError, merchant_id: str | None, shop: str | None
    ) -> None:
        """Note that the code came to nothing; the shop that answered, where one did."""
        await self._set(callback_id, error=error, merchant_id=merchant_id, shop_name=shop)

    async def keep(self, kept: KeptCallback, grant: Grant) -> bool:
        """Keep the grant, sealed, for as long as the attempt is under way; false when that is over."""
        still_open = exists().where(
            attempts.c.id == _row.attempt_id, attempts.c.consumed_at.is_(None), attempts.c.result.is_(None)
        )
        answered = {name: getattr(kept, name) for name in ("merchant_id", "shop_name", "warehouse_id")}
        row = {column.name: getattr(kept, column.name) for column in _COLUMNS}
        sealed = self._cipher.seal(msgspec.json.encode(grant), CALLBACK.place("kept_grant", row))
        statement = update(callbacks).where(_row.id == kept.id, still_open)
        return await self._session.change(statement.values(kept_grant=sealed, **answered)) == 1

    async def take(self, callback_id: str, integration_id: str) -> Grant | None:
        """The grant, which is kept no longer, for an integration; once."""
        wanted: Select[Any] = select(*_COLUMNS, _row.kept_grant).where(_row.id == callback_id).with_for_update()
        row = await self._session.row(wanted)
        if row is None or row.kept_grant is None:
            return None
        opened = self._cipher.open(row.kept_grant, CALLBACK.place("kept_grant", row._mapping))
        await self._set(callback_id, kept_grant=None, integration_id=integration_id)
        return msgspec.json.decode(opened, type=Grant)

    async def give(self, callback_id: str, merchant_id: str, shop: str | None, integration_id: str) -> None:
        """Note that the grant went to an integration at once."""
        await self._set(callback_id, merchant_id=merchant_id, shop_name=shop, integration_id=integration_id)

    async def _set(self, callback_id: str, **values: Any) -> None:
        await self._session.execute(update(callbacks).where(_row.id == callback_id).values(values))

    async def forget_grants(self, now: datetime) -> int:
        """Wipe the grants of attempts that expired; how many."""
        expired = exists().where(attempts.c.id == _row.attempt_id, attempts.c.expires_at <= now)
        kept = update(callbacks).where(_row.kept_grant.is_not(None), expired)
        return await self._session.change(kept.values(kept_grant=None))


async def wipe_grants(session: Session, of: ColumnElement[bool]) -> None:
    """Wipe the grants of the attempts for which a condition holds."""
    theirs = exists().where(attempts.c.id == _row.attempt_id, of)
    await session.execute(update(callbacks).where(_row.kept_grant.is_not(None), theirs).values(kept_grant=None))
