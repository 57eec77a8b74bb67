"""Callers' word that orders are to be refunded, into rows that the next run sends. An order is refunded once."""

from collections.abc import Callable

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.errors import Conflict, Invalid, NotFound
from channel_sync.domain.order_changes import ChangeState, OrderChange
from channel_sync.domain.order_progress import ChangeKind
from channel_sync.domain.orders import OrderState
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.order_changes.changeable import (
    Changes,
    NewChange,
    Target,
    must_be_changeable,
    store_changes,
    targets_of,
)
from channel_sync.persistence.database import Database


class Refunds:
    """Takes refunds of every tenant's orders. `nudge` is called after each commit that made a run due."""

    def __init__(self, database: Database, shops: Shops, nudge: Callable[[], None]) -> None:
        self._database = database
        self._shops = shops
        self._nudge = nudge

    async def reasons(self, tenant: str, order_id: str) -> tuple[str, ...]:
        """The reasons that the marketplace allows now. `Conflict` or any `ChannelError` if it cannot be asked."""
        target, _ = await self._target(tenant, order_id)
        must_be_changeable(target.integration, frozenset())
        return await self._ask(target)

    async def request(self, tenant: str, order_id: str, reason: str) -> Changes:
        """The changes of the order, this one among them; the same refund once more changes nothing.

        `Conflict` where it is refunded, or about to be for another reason; `Invalid` where the marketplace does
        not allow this one now.
        """
        target, changes = await self._target(tenant, order_id)
        rules = self._shops.channels[target.integration.channel].rules.order_changes
        must_be_changeable(target.integration, rules.scopes)
        wanted = NewChange(target, ChangeKind.REFUND, cause=reason)
        if _known(wanted, changes) is not None:
            return changes
        if reason not in await self._ask(target):
            message = "The marketplace does not allow this reason for the order now."
            raise Invalid("refund_reason_not_allowed", message, "/reason")
        async with self._database.begin() as work:
            (answer,) = await store_changes(work, tenant, [wanted], _known)
        if isinstance(answer, Conflict):
            raise answer
        self._nudge()
        return answer

    async def _target(self, tenant: str, order_id: str) -> tuple[Target, Changes]:
        async with self._database.read() as work:
            target = (await targets_of(work, tenant, [order_id])).get(order_id)
            if target is None:
                raise NotFound("order")
            return target, (await work.order_changes.of_orders([order_id])).get(order_id, [])

    async def _ask(self, target: Target) -> tuple[str, ...]:
        shop = self._shops.connect(target.integration, CallContext(Priority.INTERACTIVE))
        return await shop.call(lambda shop: shop.refund_reasons(target.order.channel_order_id))


def _known(wanted: NewChange, changes: Changes) -> OrderChange | None:
    """The refund that is under way or done. One of an order that was released again since is over."""
    refunds = [one for one in changes if one.kind is ChangeKind.REFUND]
    newest = refunds[-1] if refunds else None
    is_refunded = wanted.target.order.state is OrderState.REFUNDED
    stands = newest is not None and (
        newest.state is ChangeState.PENDING or (newest.state is ChangeState.ACCEPTED and is_refunded)
    )
    if newest is not None and stands and newest.cause == wanted.cause:
        return newest
    if stands or is_refunded:
        raise Conflict("refund_requested", "The order is refunded already, or about to be.")
    return None
