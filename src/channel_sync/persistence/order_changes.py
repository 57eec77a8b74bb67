"""What marketplaces are asked to do with orders, and how far that is."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, select, update

from channel_sync.domain.order_changes import ChangeStage, OrderChange, Step, doubtful
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.sql.any_of import any_of, any_of_given
from channel_sync.persistence.sql.dispatch_tables import order_changes
from channel_sync.persistence.sql.tables import accounts

_row = order_changes.c
_COLUMNS = columns_of(order_changes, OrderChange)
_before = order_changes.alias("earlier")
# One after the other: the marketplace carries out one change of an order at a time, and the newest is to stay.
_IS_FIRST = ~exists().where(
    and_(_before.c.order_id == _row.order_id, _before.c.id < _row.id, _before.c.next_at.is_not(None))
)
_NEXT = (
    select(_row.account_id, func.min(_row.next_at))
    .where(any_of_given(_row.account_id, "ids"), _row.next_at.is_not(None), _IS_FIRST)
    .group_by(_row.account_id)
)
_OF_ORDERS = select(*_COLUMNS).where(any_of_given(_row.order_id, "ids")).order_by(_row.order_id, _row.id)


class OrderChangeRepository:
    """Changes of orders of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def lock(self, account_ids: Collection[str]) -> None:
        """Let nobody else add changes to these accounts' orders until the transaction ends."""
        theirs = select(accounts.c.id).where(any_of(accounts.c.id, account_ids)).order_by(accounts.c.id)
        await self._session.rows(theirs.with_for_update())

    async def add(self, tenant: str, changes: Sequence[OrderChange]) -> None:
        """Store new changes, which are due at once unless they are settled."""
        if changes:
            rows = [
                asdict(one) | {"tenant": tenant, "next_at": None if one.settled_at else one.requested_at}
                for one in changes
            ]
            await self._session.execute(self._session.insert(order_changes), rows)

    async def of_orders(self, order_ids: Collection[str]) -> dict[str, list[OrderChange]]:
        """The changes of these orders in the order they were asked for; one without any is missing."""
        found: dict[str, list[OrderChange]] = {}
        for row in await self._session.rows(_OF_ORDERS, {"ids": order_ids}):
            found.setdefault(row.order_id, []).append(OrderChange(*row))
        return found

    async def due(self, account_id: str, now: datetime, limit: int) -> list[OrderChange]:
        """What is to be gone on with, the longest waiting first; of an order the first that is not settled."""
        due = (_row.account_id == account_id, _row.next_at <= now, _row.call_of.is_(None), _IS_FIRST)
        rows = await self._session.rows(select(*_COLUMNS).where(*due).order_by(_row.next_at, _row.id).limit(limit))
        return [OrderChange(*row) for row in rows]

    async def next_times(self, account_ids: Collection[str]) -> dict[str, datetime]:
        """When to go on with each of the accounts' changes; one without any that is not settled is missing."""
        rows = await self._session.rows(_NEXT, {"ids": account_ids})
        return {account_id: at for account_id, at in rows}

    async def sending(self, change_id: str, run_id: str, now: datetime) -> None:
        """Note that a run is about to send it; whoever finds the note later looks for what became of it."""
        sent = {"stage": ChangeStage.SENDING, "call_of": run_id, "sent_at": now, "next_at": now}
        await self._session.execute(update(order_changes).where(_row.id == change_id).values(sent))

    async def take(self, change_id: str, step: Step, now: datetime) -> bool:
        """Let it be what the step says; false where it was settled before."""
        settled = step.stage in (ChangeStage.ACCEPTED, ChangeStage.FAILED)
        values = asdict(step) | {"call_of": None, "settled_at": now if settled else None}
        still_open = (_row.id == change_id, _row.settled_at.is_(None))
        return await self._session.change(update(order_changes).where(*still_open).values(values)) == 1

    async def are_calls_lost(self, account_id: str, run_id: str) -> bool:
        """Whether earlier runs left calls without an outcome: they are dead, or have lost their place to this."""
        theirs = select(_row.id).where(*_of_others(account_id, run_id)).limit(1)
        return await self._session.value(theirs) is not None

    async def notice_lost_calls(self, account_id: str, run_id: str, now: datetime) -> None:
        """Doubt what earlier runs left without an outcome."""
        lost = asdict(doubtful(now)) | {"call_of": None}
        await self._session.execute(update(order_changes).where(*_of_others(account_id, run_id)).values(lost))


def _of_others(account_id: str, run_id: str) -> tuple[ColumnElement[bool], ...]:
    return _row.account_id == account_id, _row.call_of.is_not(None), _row.call_of != run_id
