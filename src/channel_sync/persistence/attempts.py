"""OAuth attempts: one walk of a browser to the marketplace and back."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, and_, func, insert, literal, or_, select, update

from channel_sync.domain.integrations import AttemptKind
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.callbacks import wipe_grants
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.persistence.rows.sealed_columns import ATTEMPT
from channel_sync.persistence.sql.column_types import Utc
from channel_sync.persistence.sql.consent_tables import attempts

_row = attempts.c
_CLOSED = "closed"
# The last letters of an id are random.
_REF = 10
# So many codes without a state are tried for one: each is a call to the marketplace, and may be anybody's.
_MOST_CODES = 10


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. Ticket, state and cookie are hashes; an ended attempt has its secrets wiped.

    With `platform_app` consent is asked for the platform's application of that `client_id`.
    """

    id: str
    tenant: str
    integration_id: str
    kind: AttemptKind
    ticket_hash: str
    state_hash: str | None
    cookie_hash: str | None
    code_verifier: Secret
    client_id: str | None
    client_secret: Secret | None
    return_url: str | None
    created_at: datetime
    expires_at: datetime
    continued_at: datetime | None
    consumed_at: datetime | None
    result: str | None
    platform_app: bool = False

    @property
    def ref(self) -> str:
        """What tells it from the others of a browser; no secret."""
        return self.id[-_REF:]


_COLUMNS = columns_of(attempts, Attempt)


class AttemptRepository:
    """Attempts. Each step of one happens once, whoever tries it how often."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def add(self, attempt: Attempt) -> None:
        """Store a new attempt."""
        values = {field.name: getattr(attempt, field.name) for field in fields(Attempt)}
        for name in ATTEMPT.columns:
            secret = values[name]
            values[name] = secret and self._cipher.seal(secret.value.encode(), ATTEMPT.place(name, values))
        await self._session.execute(insert(attempts).values(values))

    async def get(self, attempt_id: str) -> Attempt | None:
        """The attempt as it is now."""
        return await self._newest(_row.id == attempt_id)

    async def by_ticket(self, ticket_hash: str) -> Attempt | None:
        """The attempt of a ticket."""
        return await self._newest(_row.ticket_hash == ticket_hash)

    async def by_cookies(self, cookie_hashes: Collection[str]) -> list[Attempt]:
        """The attempts of a browser, the newest first."""
        mine = select(*_COLUMNS).where(_row.cookie_hash.in_(cookie_hashes)).order_by(_row.id.desc())
        return [self._attempt(row) for row in await self._session.rows(mine)]

    async def live(self, ticket_hash: str, cookie_hashes: Collection[str], now: datetime) -> str | None:
        """The id of an attempt that this ticket, or one of these browsers' cookies, is of, until it expires."""
        ours = or_(_row.ticket_hash == ticket_hash, _row.cookie_hash.in_(cookie_hashes))
        found: str | None = await self._session.value(select(_row.id).where(ours, _row.expires_at > now).limit(1))
        return found

    async def _newest(self, *conditions: ColumnElement[bool]) -> Attempt | None:
        row = await self._session.row(select(*_COLUMNS).where(*conditions).order_by(_row.id.desc()).limit(1))
        return None if row is None else self._attempt(row)

    def _attempt(self, row: Row[*tuple[Any, ...]]) -> Attempt:
        values = dict(zip((column.name for column in _COLUMNS), row, strict=True))
        for name in ATTEMPT.columns:
            sealed = values[name]
            values[name] = sealed and Secret(self._cipher.open(sealed, ATTEMPT.place(name, values)).decode())
        return Attempt(**(values | {"code_verifier": values["code_verifier"] or Secret("")}))

    async def proceed(
        self, attempt_id: str, state_hash: str, cookie_hash: str, now: datetime, until: datetime
    ) -> bool:
        """Bind the attempt to the browser that goes on, to be back by `until`; false for all but the first one.

        That one may go on as often as it likes until the attempt is over. Only the newest state counts.
        """
        mine = or_(_row.continued_at.is_(None), _row.cookie_hash == cookie_hash)
        statement = _change(attempt_id).where(mine, _row.expires_at > now, *_open())
        values: dict[str, Any] = {"state_hash": state_hash, "cookie_hash": cookie_hash}
        values |= {"continued_at": func.coalesce(_row.continued_at, literal(now, Utc)), "expires_at": until}
        return await self._session.change(statement.values(values)) == 1

    async def try_code(self, attempt_id: str, now: datetime, until: datetime) -> bool:
        """Count a code that came without a state, and give the person until `until`; false if it is too late."""
        statement = _change(attempt_id).where(_row.continued_at.is_not(None), _row.expires_at > now, *_open())
        counted = statement.where(_row.codes_tried < _MOST_CODES)
        values = {"codes_tried": _row.codes_tried + 1, "expires_at": until}
        return await self._session.change(counted.values(values)) == 1

    async def consume(self, attempt_id: str, now: datetime) -> bool:
        """Take the attempt for the one grant it is good for; true exactly once."""
        statement = _change(attempt_id).where(_row.continued_at.is_not(None), _row.expires_at > now, *_open())
        return await self._session.change(statement.values(consumed_at=now)) == 1

    async def finish(self, attempt_id: str, result: str) -> None:
        """Remember how it ended, for whoever loads the page again."""
        await self._end(_row.id == attempt_id, result)

    async def hand_over(self, attempt_id: str, integration_id: str, result: str) -> None:
        """End the attempt as that of another integration, which outlives the draft that it was begun for."""
        await self.finish(attempt_id, result)
        await self._session.execute(_change(attempt_id).values(integration_id=integration_id))

    async def give_up(self, attempt_id: str, error: str) -> bool:
        """End the attempt by an error, unless somebody else has taken or ended it."""
        return await self._end(and_(_row.id == attempt_id, *_open()), error) == 1

    async def close_all(self, integration_id: str) -> None:
        """End every attempt of the integration that has not come back yet."""
        await self._end(and_(_row.integration_id == integration_id, *_open()), _CLOSED)

    async def destroy(self, integration_id: str) -> None:
        """End every attempt of the integration, also one that is being carried through, and wipe its secrets."""
        await self._end(and_(_row.integration_id == integration_id, _row.result.is_(None)), _CLOSED)

    async def _end(self, which: ColumnElement[bool], result: str) -> int:
        """End these attempts and wipe their secrets, the grants that waited for an answer first; how many."""
        await wipe_grants(self._session, which)
        ended = update(attempts).where(which)
        return await self._session.change(ended.values(result=result, code_verifier=None, client_secret=None))

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget attempts that expired before a moment, the oldest of many; how many."""
        return await self._session.delete_some(attempts, _row.expires_at < before, _row.expires_at, limit)


def _open() -> tuple[ColumnElement[bool], ...]:
    return _row.consumed_at.is_(None), _row.result.is_(None)


def _change(attempt_id: str) -> Update:
    return update(attempts).where(_row.id == attempt_id)
