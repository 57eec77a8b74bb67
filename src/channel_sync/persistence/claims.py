"""Shops whose sellers added the platform's app by themselves, and the grants that wait for a tenant's claim."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, func, or_, select, text, update

from channel_sync.domain.channel import Environment, Grant
from channel_sync.domain.codes import CallbackError
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.persistence.rows.sealed_columns import CLAIM
from channel_sync.persistence.sql.consent_tables import claims

_row = claims.c
# Row-level security shows a tenant what is nobody's yet by its claim alone.
_SHOW = text("SELECT set_config('channel_sync.claim', :claim_hash, true)")


@dataclass(frozen=True, slots=True)
class Claim:
    """A shop that was added. It has an `error`, or a merchant and a claim once the marketplace has answered.

    Of the claim only a hash is here. `tenant` is who claimed it, and `integration_id` who has the grant.
    """

    id: str
    channel: str
    environment: Environment
    client_id: str
    code_hash: str
    created_at: datetime
    expires_at: datetime
    claim_hash: str | None = None
    tenant: str | None = None
    error: CallbackError | None = None
    merchant_id: str | None = None
    shop_name: str | None = None
    warehouse_id: str | None = None
    integration_id: str | None = None


_COLUMNS = columns_of(claims, Claim)


class ClaimRepository:
    """Claims. Each code is there once, whoever brings it how often, and each grant goes to one tenant."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def add(self, claim: Claim) -> bool:
        """Store a code that is about to be redeemed; false where it is known already."""
        values = {column.name: getattr(claim, column.name) for column in _COLUMNS}
        new = self._session.insert(claims).values(values).on_conflict_do_nothing(index_elements=["code_hash"])
        return await self._session.change(new) == 1

    async def waiting(self) -> int:
        """How many grants wait to be claimed."""
        count: int = await self._session.value(select(func.count()).where(_row.kept_grant.is_not(None)))
        return count

    async def fail(self, claim_id: str, error: CallbackError) -> None:
        """Note that the code came to nothing."""
        await self._set(_row.id == claim_id, error=error)

    async def keep(self, claim: Claim, grant: Grant | None) -> None:
        """Keep what the marketplace answered, with the grant sealed where nobody has it yet.

        A grant that waited for the same shop is wiped: the seller has consented anew since.
        """
        shop = ("channel", "environment", "client_id", "merchant_id")
        same = [_row[name] == getattr(claim, name) for name in shop]
        await self._set(*same, _row.kept_grant.is_not(None), _row.id != claim.id, kept_grant=None)
        values = {column.name: getattr(claim, column.name) for column in _COLUMNS}
        if grant is not None:
            place = CLAIM.place("kept_grant", values)
            values["kept_grant"] = self._cipher.seal(msgspec.json.encode(grant), place)
        await self._set(_row.id == claim.id, **values)

    async def find(self, claim_hash: str, tenant: str, now: datetime) -> Claim | None:
        """What is claimed, until it expires: nobody's so far, or the tenant's own."""
        if self._session.postgres:
            await self._session.value(_SHOW.params(claim_hash=claim_hash))
        free = or_(_row.tenant.is_(None), _row.tenant == tenant)
        found = select(*_COLUMNS).where(_row.claim_hash == claim_hash, free, _row.expires_at > now)
        row = await self._session.row(found)
        return None if row is None else Claim(*row)

    async def take(self, claim: Claim, tenant: str, integration_id: str) -> Grant | None:
        """The grant, which is kept no longer, for an integration of the tenant; once, after `find`."""
        waits = select(*_COLUMNS, _row.kept_grant).where(
            _row.id == claim.id, _row.tenant.is_(None), _row.kept_grant.is_not(None)
        )
        row = await self._session.row(waits.with_for_update())
        if row is None:
            return None
        opened = self._cipher.open(row.kept_grant, CLAIM.place("kept_grant", row._mapping))
        await self._set(_row.id == claim.id, tenant=tenant, integration_id=integration_id, kept_grant=None)
        return msgspec.json.decode(opened, type=Grant)

    async def forget(self, now: datetime) -> int:
        """Forget what has expired, whoever claimed it or nobody; how many."""
        return await self._session.change(delete(claims).where(_row.expires_at <= now))

    async def _set(self, *which: ColumnElement[bool], **values: Any) -> None:
        await self._session.execute(update(claims).where(*which).values(values))
