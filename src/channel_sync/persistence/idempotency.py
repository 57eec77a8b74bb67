"""One answer per Idempotency-Key."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from channel_sync.domain.errors import Conflict, Invalid
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.persistence.rows.sealed_columns import ANSWER
from channel_sync.persistence.sql.tables import idempotency

_row = idempotency.c

# No request takes this long, so whoever began has died.
_GIVEN_UP_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer that was given to a key."""

    status: int
    headers: dict[str, str]
    body: bytes


class IdempotencyRepository:
    """Claims and answers, per tenant and key."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def begin(self, tenant: str, key: str, fingerprint: str, now: datetime) -> Replay | None:
        """The answer given before, or None: then the request is yours to answer.

        `Conflict` while another answers it, `Invalid` where the key stands for another request.
        """
        claim = {"tenant": tenant, "key": key, "fingerprint": fingerprint, "created_at": now}
        mine = self._session.insert(idempotency).values(claim).on_conflict_do_nothing()
        if await self._session.change(mine) == 1:
            return None
        row = await self._session.row(select(idempotency).where(_row.tenant == tenant, _row.key == key))
        if row is None:
            raise Conflict("idempotency_in_progress", "The first request of this key has just ended.")
        if row.fingerprint != fingerprint:
            raise Invalid("idempotency_key_reused", "This Idempotency-Key belongs to another request.")
        if row.status is not None:
            body = self._cipher.open(row.body, ANSWER.place("body", row._mapping))
            return Replay(row.status, row.headers, body)
        if await self._take_over(tenant, key, now):
            return None
        raise Conflict("idempotency_in_progress", "The first request of this key is being answered.")

    async def _take_over(self, tenant: str, key: str, now: datetime) -> bool:
        abandoned = _row.created_at < now - _GIVEN_UP_AFTER
        statement = update(idempotency).where(
            _row.tenant == tenant, _row.key == key, _row.status.is_(None), abandoned
        )
        return await self._session.change(statement.values(created_at=now)) == 1

    async def complete(self, tenant: str, key: str, status: int, headers: dict[str, str], body: bytes) -> None:
        """Keep the answer."""
        sealed = self._cipher.seal(body, ANSWER.place("body", {"tenant": tenant, "key": key}))
        await self._session.execute(
            update(idempotency)
            .where(_row.tenant == tenant, _row.key == key)
            .values(status=status, headers=headers, body=sealed)
        )

    async def abandon(self, tenant: str, key: str) -> None:
        """Give the claim up without an answer: the next request of the key is a first one."""
        mine = (_row.tenant == tenant, _row.key == key, _row.status.is_(None))
        await self._session.execute(delete(idempotency).where(*mine))

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget keys from before a moment, the oldest of many; how many."""
        return await self._session.delete_some(idempotency, _row.created_at < before, _row.created_at, limit)
