"""What processes may still spend on calls, one row per integration; PostgreSQL only.

A row says until when calls are paid for. After a rest a burst may be spent at once; then every call moves the row
on by its share of a second (the generic cell rate algorithm). The clock is the database's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from channel_sync.domain.budgets import CallAllowance, CallLease
from channel_sync.persistence.engine.session import Session

_MICROS = 1_000_000
_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

_LEASE = text(f"""
WITH wanted AS (
    SELECT * FROM unnest(
        CAST(:ids AS text[]), CAST(:calls AS bigint[]), CAST(:each AS bigint[]), CAST(:burst AS bigint[])
    ) AS one (integration_id, calls, each_us, burst_us)
), held AS (
    SELECT budget.integration_id, calls, each_us, burst_us, spent_until, paused_until, {_NOW} AS now_us
    FROM call_budgets AS budget JOIN wanted ON wanted.integration_id = budget.integration_id
    ORDER BY budget.integration_id
    FOR UPDATE OF budget
), given AS (
    SELECT integration_id, each_us, burst_us, now_us, paused_until, greatest(spent_until, now_us) AS paid_until,
        CASE WHEN paused_until > now_us THEN 0
        ELSE least(calls, greatest(0, (now_us + burst_us - greatest(spent_until, now_us)) / each_us)) END AS calls
    FROM held
)
UPDATE call_budgets SET spent_until = paid_until + given.calls * each_us
FROM given WHERE given.integration_id = call_budgets.integration_id
RETURNING call_budgets.integration_id, given.calls,
    greatest(0, call_budgets.spent_until + each_us - burst_us - now_us) AS again_us,
    greatest(0, given.paused_until - now_us) AS pause_us
""")

_ADD = text("""
INSERT INTO call_budgets (integration_id, spent_until, paused_until)
SELECT id, 0, 0 FROM integrations WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id
ON CONFLICT DO NOTHING
""")

# After a pause one call may go at once, to see whether it is over; the others come at their rate.
_PAUSE = text(f"""
UPDATE call_budgets SET paused_until = greatest(paused_until, {_NOW} + CAST(:pause AS bigint)),
    spent_until = greatest(paused_until, {_NOW} + CAST(:pause AS bigint)) + CAST(:spent AS bigint)
WHERE integration_id = :id
""")


@dataclass(frozen=True, slots=True)
class Want:
    """Calls that somebody would like to make."""

    integration_id: str
    calls: int
    allowance: CallAllowance


class CallBudgetRepository:
    """The budgets of all integrations."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def lease(self, wants: Sequence[Want]) -> dict[str, CallLease]:
        """What each may have. One whose integration is gone is missing; none is wanted twice."""
        leases = await self._lease(wants)
        fresh = [want for want in wants if want.integration_id not in leases]
        if fresh:
            ids = [want.integration_id for want in fresh]
            await self._session.run(lambda connection: connection.execute(_ADD, {"ids": ids}))
            leases |= await self._lease(fresh)
        return leases

    async def _lease(self, wants: Sequence[Want]) -> dict[str, CallLease]:
        values = {
            "ids": [want.integration_id for want in wants],
            "calls": [want.calls for want in wants],
            "each": [_each_us(want.allowance) for want in wants],
            "burst": [int(_each_us(want.allowance) * want.allowance.burst) for want in wants],
        }
        rows = await self._session.run(lambda connection: connection.execute(_LEASE, values).all())
        return {row[0]: CallLease(row.calls, row.again_us / _MICROS, row.pause_us / _MICROS) for row in rows}

    async def pause(self, integration_id: str, seconds: float, allowance: CallAllowance) -> None:
        """Nobody calls for the integration for so long."""
        each_us = _each_us(allowance)
        values = {
            "id": integration_id,
            "pause": int(seconds * _MICROS),
            "spent": int(each_us * (allowance.burst - 1)),
        }
        await self._session.run(lambda connection: connection.execute(_ADD, {"ids": [integration_id]}))
        await self._session.run(lambda connection: connection.execute(_PAUSE, values))


def _each_us(allowance: CallAllowance) -> int:
    return max(1, round(_MICROS / allowance.rate_per_s))
