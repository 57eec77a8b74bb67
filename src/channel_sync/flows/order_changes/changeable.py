"""Which orders the marketplace may be asked to change; and the changes, into rows that the next run sends."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import Conflict
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Integration, must_be_runnable
from channel_sync.domain.order_changes import MOST_CHANGES, ChangeStage, OrderChange, Parcel
from channel_sync.domain.order_progress import ChangeKind
from channel_sync.domain.orders import Order
from channel_sync.domain.runs import RunKind
from channel_sync.persistence.database import UnitOfWork

Changes = Sequence[OrderChange]


@dataclass(frozen=True, slots=True)
class Target:
    """An order, and the `owner` of its account; none once that was removed for good."""

    order: Order
    owner: Integration | None

    @property
    def integration(self) -> Integration:
        """What the order's marketplace is reached by; `Conflict` where that is gone."""
        if self.owner is None:
            raise Conflict("integration_removed", "The shop of the order was removed for good.")
        return self.owner


@dataclass(frozen=True, slots=True)
class NewChange:
    """What an order is to become; `settled` where the marketplace shows it already."""

    target: Target
    kind: ChangeKind
    parcel: Parcel | None = None
    cause: str | None = None
    settled: bool = False


# The change that stands for the new one already, if there is one; raises what speaks against it.
Known = Callable[[NewChange, Changes], OrderChange | None]


async def targets_of(work: UnitOfWork, tenant: str, order_ids: Collection[str]) -> dict[str, Target]:
    """By id those of the orders that the tenant has."""
    orders = await work.orders.some(tenant, order_ids)
    integrations = await work.integrations.find_all({order.integration_id for order in orders})
    return {order.id: Target(order, integrations.get(order.integration_id)) for order in orders}


def must_be_changeable(integration: Integration, scopes: frozenset[str]) -> None:
    """`Conflict` unless the marketplace can be asked to change orders of this shop, and would let us."""
    must_be_runnable(integration, integration.id)
    missing = sorted(scopes - set(integration.scopes))
    # Without any the marketplace does not tell them.
    if integration.scopes and missing:
        message = f"The seller has not granted {', '.join(missing)}: add it to the app, then authorise again."
        raise Conflict("grant_lacks_scope", message, integration.id)


async def store_changes(
    work: UnitOfWork, tenant: str, wanted: Sequence[NewChange], known: Known
) -> list[Changes | Conflict]:
    """Each order's changes, the wanted one among them. One order's are stored one after the other."""
    integration_ids = sorted({change.target.integration.id for change in wanted})
    # In the order in which a removal takes them.
    await work.schedules.lock([(integration_id, RunKind.ORDER_CHANGES) for integration_id in integration_ids])
    account_ids = {change.target.integration.account_id or "" for change in wanted}
    await work.order_changes.lock(account_ids)
    stored = await work.order_changes.of_orders([change.target.order.id for change in wanted])
    fresh: list[OrderChange] = []
    answers: list[Changes | Conflict] = []
    for number, change in enumerate(wanted):
        of_order = stored.setdefault(change.target.order.id, [])
        try:
            if known(change, of_order) is None:
                fresh.append(_row(change, of_order, number))
                of_order.append(fresh[-1])
        except Conflict as conflict:
            answers.append(conflict)
        else:
            answers.append(list(of_order))
    await work.order_changes.add(tenant, fresh)
    now = utcnow()
    for integration_id in integration_ids:
        await work.schedules.hurry(integration_id, RunKind.ORDER_CHANGES, now)
    return answers


def _row(change: NewChange, of_order: Changes, number: int) -> OrderChange:
    """The change as a row. Those of one order have ids in the order in which they were asked for."""
    if len(of_order) >= MOST_CHANGES:
        raise Conflict("too_many_changes", f"The order has been changed {MOST_CHANGES} times.")
    order, parcel = change.target.order, change.parcel
    now = utcnow()
    return OrderChange(
        id=new_id("chg", now + timedelta(milliseconds=number)),
        account_id=change.target.integration.account_id or "",
        order_id=order.id,
        channel_order_id=order.channel_order_id,
        kind=change.kind,
        stage=ChangeStage.ACCEPTED if change.settled else ChangeStage.REQUESTED,
        carrier=None if parcel is None else parcel.carrier,
        tracking_number=None if parcel is None else parcel.tracking_number,
        origin_country=None if parcel is None else parcel.origin_country,
        cause=change.cause,
        requested_at=now,
        settled_at=now if change.settled else None,
    )
