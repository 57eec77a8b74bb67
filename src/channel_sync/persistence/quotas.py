"""How many a tenant has of what it may have only so many of."""

from sqlalchemy import ColumnElement, Table, func, select

from channel_sync.domain.quotas import Quota
from channel_sync.domain.runs import PERSONS_TRIGGERS
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.sql.run_tables import runs
from channel_sync.persistence.sql.tables import api_keys, integrations

_COUNTED: dict[Quota, tuple[Table, tuple[ColumnElement[bool], ...]]] = {
    "drafts": (integrations, (integrations.c.activated_at.is_(None),)),
    "api_keys": (api_keys, (api_keys.c.revoked_at.is_(None),)),
    "runs": (runs, (runs.c.finished_at.is_(None), runs.c.trigger.in_(PERSONS_TRIGGERS))),
}


class QuotaRepository:
    """Counts within the transaction that adds one, which is counted, too."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def count(self, quota: Quota, tenant: str) -> int:
        """How many the tenant has. Until the transaction ends nobody else counts the same."""
        if self._session.postgres:
            name = func.hashtextextended(f"{quota} of {tenant}", 0)
            await self._session.value(select(func.pg_advisory_xact_lock(name)))
        table, conditions = _COUNTED[quota]
        mine = select(func.count()).select_from(table).where(table.c.tenant == tenant, *conditions)
        return int(await self._session.value(mine))
