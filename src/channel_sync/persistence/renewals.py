"""Leases of renewals, in columns of `integrations`: who asks for a new grant, and when somebody may."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Update, and_, or_, select, union, union_all, update

from channel_sync.domain.integrations import GRANT_REVOKED, Status
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.integrations import has_status
from channel_sync.persistence.sql.tables import integrations

_row = integrations.c
# No pause is longer: what ends later was written by a clock that has been set back since.
_LONGEST_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RenewalLease:
    """Who renews, and up to when this holds without another sign of life. All leases are of one length."""

    owner: str
    since: datetime
    length: timedelta

    @property
    def until(self) -> datetime:
        """When it ends."""
        return self.since + self.length


class RenewalRepository:
    """Renewals of grants, one at a time per integration.

    A lease that ran out was left by a process that died: its renewal is unsettled until somebody has an answer.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(
        self, integration_id: str, generation: int, lease: RenewalLease, not_if_renewed_after: datetime | None
    ) -> bool:
        """Take the lease; false if somebody has it or has renewed already.

        With a moment it is also false if it is too early: renewed since, or not to be tried again yet. What a
        process left unsettled is never too early.
        """
        now = lease.since
        free = or_(_row.renewing_until.is_(None), _ran_out(now, lease.length))
        statement = _change(integration_id).where(_row.generation == generation, free)
        if not_if_renewed_after is not None:
            misdated = _row.renewed_at > now + _LONGEST_PAUSE
            long_ago = or_(_row.renewed_at.is_(None), _row.renewed_at <= not_if_renewed_after, misdated)
            statement = statement.where(
                _is_over(_row.retry_at, now), or_(long_ago, _row.renewing_until.is_not(None))
            )
        held = {"renewing_owner": lease.owner, "renewing_since": now, "renewing_until": lease.until}
        return await self._session.change(statement.values(held)) == 1

    async def keep(self, integration_id: str, generation: int, owner: str, until: datetime) -> bool:
        """Show that the renewal goes on; false where it is the owner's no more."""
        mine = _held(integration_id, generation, owner)
        return await self._session.change(mine.values(renewing_until=until)) == 1

    async def release(
        self,
        integration_id: str,
        generation: int,
        owner: str,
        retry_at: datetime | None = None,
        open_since: datetime | None = None,
    ) -> None:
        """Give the lease back without a grant.

        With `retry_at` there was no answer, and nobody asks again before; with `open_since` what a process left
        open stays open.
        """
        values = {
            "renewing_owner": None,
            "renewing_since": None,
            "renewing_until": open_since,
            "retry_at": retry_at,
        }
        await self._session.execute(_held(integration_id, generation, owner).values(values))

    async def note_failure(self, integration_id: str, generation: int, now: datetime) -> None:
        """Remember since when renewals of this grant get no answer."""
        first = (_row.generation == generation, _row.renewal_failing_since.is_(None))
        await self._session.execute(_change(integration_id).where(*first).values(renewal_failing_since=now))

    async def end_of_others(self, owner: str, now: datetime) -> None:
        """End the leases of processes that are gone; for the start of the only process there is."""
        theirs = or_(_row.renewing_owner.is_(None), _row.renewing_owner != owner)
        left = update(integrations).where(_row.renewing_until > now, theirs)
        await self._session.execute(left.values(renewing_until=now))

    async def doubt(self, integration_id: str, generation: int, again_at: datetime | None) -> None:
        """Of a grant that the marketplace revoked so soon: when it is asked about once more, or never."""
        doubted = (_row.generation == generation, _row.rejected_reason == GRANT_REVOKED)
        await self._session.execute(_change(integration_id).where(*doubted).values(retry_at=again_at))

    async def due(
        self, channel: str, now: datetime, lease_length: timedelta, before: datetime, limit: int
    ) -> list[str]:
        """Ids of those at work, or about to be, whose token ends before `before`; soonest first."""
        return await self._session.column(
            select(_row.id)
            .where(
                _row.channel == channel,
                _row.access_token_expires_at < before,
                _in_use(),
                or_(_row.renewing_until.is_(None), _ran_out(now, lease_length)),
                _is_over(_row.retry_at, now),
            )
            .order_by(_row.access_token_expires_at)
            .limit(limit)
        )

    async def ending(
        self,
        channel: str,
        tokens_before: datetime,
        failing_before: datetime,
        consents_before: datetime,
        limit: int,
    ) -> list[str]:
        """Ids of integrations whose consent, or token that is not renewed, ends soon, and nobody was told."""
        tokens = and_(
            _row.access_token_expires_at < tokens_before,
            _row.renewal_failing_since <= failing_before,
            _row.told_of_end.is_distinct_from(_row.access_token_expires_at),
            has_status(Status.ACTIVE),
        )
        consents = and_(
            _row.grant_ends_at < consents_before,
            _row.told_of_end.is_distinct_from(_row.grant_ends_at),
            _row.rejected_reason.is_(None),
            _row.activated_at.is_not(None),
            _row.removed_at.is_(None),
        )
        each = (select(_row.id).where(_row.channel == channel, one) for one in (tokens, consents))
        return await self._session.column(union(*each).limit(limit))

    async def note_told(self, integration_id: str, end: datetime) -> bool:
        """Note that others are told of this end; false where they were."""
        fresh = _change(integration_id).where(_row.told_of_end.is_distinct_from(end))
        return await self._session.change(fresh.values(told_of_end=end)) == 1

    async def unsettled(self, now: datetime, lease_length: timedelta, limit: int) -> list[tuple[str, int]]:
        """Ids and generations of what is to be asked about now, although nobody needs it yet.

        Integrations at work, or about to be, in whose renewal a process died, and those whose grant was revoked so
        soon that it is doubted.
        """
        left = and_(_ran_out(now, lease_length), _is_over(_row.retry_at, now), _in_use())
        doubted = and_(
            _row.rejected_reason == GRANT_REVOKED,
            or_(_row.retry_at <= now, _row.retry_at > now + _LONGEST_PAUSE),
            or_(_row.renewing_until.is_(None), _ran_out(now, lease_length)),
            has_status(Status.NEEDS_REAUTH),
        )
        each = (select(_row.id, _row.generation).where(condition) for condition in (left, doubted))
        rows = await self._session.rows(union_all(*each).limit(limit))
        return [(row.id, row.generation) for row in rows]


def _in_use() -> ColumnElement[bool]:
    """Whether a grant is kept alive: of an active integration, and of a draft that only lacks its last step."""
    accepted = and_(_row.rejected_reason.is_(None), _row.paused_reason.is_(None))
    return or_(has_status(Status.ACTIVE), and_(has_status(Status.DRAFT), accepted))


def _ran_out(now: datetime, length: timedelta) -> ColumnElement[bool]:
    """Whether a lease is over, or was written by a clock that has been set back since."""
    return or_(_row.renewing_until <= now, _row.renewing_until > now + 2 * length + _LONGEST_PAUSE)


def _is_over(end: Column[datetime], now: datetime) -> ColumnElement[bool]:
    return or_(end.is_(None), end <= now, end > now + _LONGEST_PAUSE)


def _held(integration_id: str, generation: int, owner: str) -> Update:
    return _change(integration_id).where(_row.generation == generation, _row.renewing_owner == owner)


def _change(integration_id: str) -> Update:
    return update(integrations).where(_row.id == integration_id)
