"""API keys, of which only hashes are kept."""

from dataclasses import fields
from datetime import datetime

from sqlalchemy import insert, select, update

from channel_sync.domain.errors import NotFound
from channel_sync.domain.keys import ApiKey
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.sql.paging import Page, PageRequest, page_of
from channel_sync.persistence.sql.tables import api_keys

_row = api_keys.c
_COLUMNS = columns_of(api_keys, ApiKey)


class ApiKeyRepository:
    """API keys. A revoked one stays listed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, key: ApiKey, key_hash: bytes) -> None:
        """Store a new key."""
        values = {field.name: getattr(key, field.name) for field in fields(ApiKey)}
        await self._session.execute(insert(api_keys).values(values | {"key_hash": key_hash}))

    async def find(self, key_hash: bytes) -> ApiKey | None:
        """The key of a hash, revoked or not."""
        row = await self._session.row(select(*_COLUMNS).where(_row.key_hash == key_hash))
        return None if row is None else ApiKey(*row)

    async def revoke(self, tenant: str, key_id: str, now: datetime) -> None:
        """Make the key useless; the first moment stays. `NotFound` for a foreign one."""
        mine = (_row.id == key_id, _row.tenant == tenant)
        if await self._session.value(select(_row.id).where(*mine)) is None:
            raise NotFound("API key")
        await self._session.execute(
            update(api_keys).where(*mine, _row.revoked_at.is_(None)).values(revoked_at=now)
        )

    async def list(self, tenant: str, page: PageRequest) -> Page[ApiKey]:
        """A page of the tenant's keys, oldest first."""
        statement = select(*_COLUMNS).where(_row.tenant == tenant)
        if page.after is not None:
            statement = statement.where(_row.id > str(page.after[0]))
        rows = await self._session.rows(statement.order_by(_row.id).limit(page.limit + 1))
        return page_of([ApiKey(*row) for row in rows], page, lambda key: (key.id,))
