"""Callers' word that orders are on their way, into rows that the next run sends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from channel_sync.domain.errors import ChannelSyncError, Conflict, Invalid, NotFound
from channel_sync.domain.order_changes import ChangeState, OrderChange, Parcel
from channel_sync.domain.order_progress import ChangeKind
from channel_sync.domain.orders import Order, OrderState
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.order_changes.carriers import CarrierLists, CarrierNames
from channel_sync.flows.order_changes.changeable import (
    Changes,
    NewChange,
    Target,
    must_be_changeable,
    store_changes,
    targets_of,
)
from channel_sync.persistence.database import Database, UnitOfWork


@dataclass(frozen=True, slots=True)
class DispatchRequest:
    """One order, and the parcel that it is in."""

    order_id: str
    parcel: Parcel


@dataclass(frozen=True, slots=True)
class _Orders:
    """The orders of a request; of those that confirm delivery the country they go to; what carriers are called."""

    targets: Mapping[str, Target]
    countries: Mapping[str, str | None]
    names: CarrierNames


class Dispatches:
    """Takes dispatches of every tenant's orders. `nudge` is called after each commit that made a run due."""

    def __init__(
        self, database: Database, shops: Shops, carriers: CarrierLists, nudge: Callable[[], None]
    ) -> None:
        self._database = database
        self._channels = shops.channels
        self._carriers = carriers
        self._nudge = nudge

    async def request(self, tenant: str, asked: DispatchRequest) -> Changes:
        """The changes of the order, this one among them; the same parcel once more changes nothing.

        `Conflict` or `Invalid` where the marketplace would not take it.
        """
        (answer,) = await self.request_all(tenant, [asked])
        if isinstance(answer, ChannelSyncError):
            raise answer
        return answer

    async def request_all(self, tenant: str, asked: Sequence[DispatchRequest]) -> list[Changes | ChannelSyncError]:
        """The same for many, in their order; one that is refused stops no other."""
        async with self._database.read() as work:
            targets = await targets_of(work, tenant, {one.order_id for one in asked})
            countries = await _confirming_countries(work, tenant, targets)
        orders = _Orders(targets, countries, CarrierNames(self._carriers))
        checked = [await self._checked(orders, one) for one in asked]
        good = [one for one in checked if isinstance(one, NewChange)]
        stored = iter(await self._store(tenant, good) if good else [])
        return [next(stored) if isinstance(one, NewChange) else one for one in checked]

    async def _checked(self, orders: _Orders, asked: DispatchRequest) -> NewChange | ChannelSyncError:
        try:
            return await self._change(orders, asked)
        except ChannelSyncError as refusal:
            return refusal

    async def _change(self, orders: _Orders, asked: DispatchRequest) -> NewChange:
        target = orders.targets.get(asked.order_id)
        if target is None:
            raise NotFound("order")
        rules = self._channels[target.integration.channel].rules.order_changes
        must_be_changeable(target.integration, rules.scopes)
        _must_be_dispatchable(target.order)
        if not rules.tracking_number.fullmatch(asked.parcel.tracking_number):
            raise Invalid("invalid_tracking_number", rules.tracking_numbers, "/tracking_number")
        country = orders.countries.get(asked.order_id)
        carrier = await orders.names.of(target.integration, country, asked.parcel.carrier)
        parcel = replace(asked.parcel, carrier=carrier)
        return NewChange(target, ChangeKind.DISPATCH, parcel, settled=_is_shown(target.order, parcel))

    async def _store(self, tenant: str, wanted: Sequence[NewChange]) -> list[Changes | Conflict]:
        async with self._database.begin() as work:
            stored = await store_changes(work, tenant, wanted, _known)
        self._nudge()
        return stored


async def _confirming_countries(
    work: UnitOfWork, tenant: str, targets: Mapping[str, Target]
) -> dict[str, str | None]:
    """Where those orders go for which delivery has to be confirmed. An erased one does not say."""
    confirming = [id for id, target in targets.items() if target.order.content.confirms_delivery]
    orders = await work.orders.some(tenant, confirming, personal=True) if confirming else []
    return {order.id: None if order.address is None else order.address.country_code for order in orders}


def _must_be_dispatchable(order: Order) -> None:
    by = order.content.fulfilled_by
    if by != "merchant":
        raise Conflict("fulfilled_elsewhere", f"The order is fulfilled by {by}, not by the merchant.")
    match order.state:
        case OrderState.IN_REVIEW:
            raise Conflict("order_not_released", "The marketplace has not released the order yet.")
        case OrderState.REFUNDED | OrderState.DECLINED:
            raise Conflict("order_closed", f"The order is {order.state}.")
        case OrderState.APPROVED | OrderState.SHIPPED | OrderState.UNKNOWN:
            return


def _is_shown(order: Order, parcel: Parcel) -> bool:
    """Whether the marketplace has the parcel as the newest; one that it took back leaves the order approved."""
    return order.state is OrderState.SHIPPED and any(map(parcel.is_shown, order.content.tracking[:1]))


def _known(wanted: NewChange, changes: Changes) -> OrderChange | None:
    """The same parcel, asked for last, that is under way or is what the marketplace shows."""
    dispatches = [one for one in changes if one.kind is ChangeKind.DISPATCH]
    if not dispatches or dispatches[-1].parcel != wanted.parcel:
        return None
    newest = dispatches[-1]
    is_the_same = newest.state is ChangeState.PENDING or (newest.state is ChangeState.ACCEPTED and wanted.settled)
    return newest if is_the_same else None
