"""An order as the API shows it."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from channel_sync.api.http.fields import MoneyView, Timestamp, money_view, optional_timestamp, timestamp
from channel_sync.api.order_change_views import DispatchView, RefundRequestView, dispatch_view, refund_view
from channel_sync.api.tax_view import tax_view
from channel_sync.domain.held_orders import HeldOrder
from channel_sync.domain.integrations import why_it_rests
from channel_sync.domain.order_changes import is_pending
from channel_sync.domain.orders import Address, Flaw, Order, OrderLine, OrderState, Refund, Tracking
from channel_sync.persistence.database import UnitOfWork


class LineView(TypedDict):
    """What was bought. Prices are per unit. `listing_id` is null while the listing is not in our catalogue.

    `sku` is the marketplace's. `mapped_sku` is the one that a person had mapped the listing to when the order came
    in, or first did while it was `in_review` or `approved`: the stock to take the goods from. It is null where
    `sku` itself counts, and once it is there it does not change.
    """

    sku: str | None
    mapped_sku: str | None
    listing_id: str | None
    channel_listing_id: str | None
    title: str | None
    options: dict[str, str]
    quantity: int
    unit_price: MoneyView | None
    shipping_price: MoneyView | None


class TotalsView(TypedDict):
    """What the customer paid and what the seller gets of it."""

    customer_paid: MoneyView | None
    merchant_revenue: MoneyView | None


class AddressView(TypedDict):
    """Where the parcel goes."""

    name: str | None
    street_1: str | None
    street_2: str | None
    street_3: str | None
    city: str | None
    region: str | None
    postcode: str | None
    country_code: str | None
    phone: str | None


class TrackingView(TypedDict):
    """One parcel's tracking."""

    carrier: str | None
    tracking_number: str | None
    origin_country: str | None


class FulfilmentView(TypedDict):
    """Who ships, and the parcels so far."""

    by: str
    tracking: list[TrackingView]


class RefundView(TypedDict):
    """One refund; the reason is the marketplace's own text."""

    refunded_at: Timestamp | None
    source: str | None
    reason: str | None
    amount: MoneyView | None


class NoteView(TypedDict):
    """A member of the marketplace's order that was left out, cut or mended, and why; never what stands there.

    `unreadable`: what is personal was stored, but cannot be decrypted.
    """

    code: Flaw
    pointer: str


class OrderView(TypedDict):
    """One order. `shipping_address` and `tax` are there only with `pii:read`, and null once erased.

    `acknowledged_at` is null until this `version` is acknowledged. `acknowledged_version` is the newest one that
    was: null for none, and where that was before versions were noted.
    """

    id: str
    integration_id: str
    channel_order_id: str
    transaction_id: str | None
    state: OrderState
    state_raw: str
    released_at: Timestamp | None
    ship_by: Timestamp | None
    currency: str
    currency_defaulted: bool
    lines: list[LineView]
    totals: TotalsView
    shipping_address: NotRequired[AddressView | None]
    tax: NotRequired[dict[str, Any] | None]
    fulfilment: FulfilmentView
    refunds: list[RefundView]
    dispatch: DispatchView | None
    refund_request: RefundRequestView | None
    acknowledged_at: Timestamp | None
    acknowledged_version: int | None
    channel_updated_at: Timestamp
    stored_at: Timestamp
    sanitised: bool
    notes: list[NoteView]
    erased: bool
    version: int


class OrderPageView(TypedDict):
    """Some orders in the order they were stored, and the cursor that goes on."""

    items: list[OrderView]
    next_cursor: str | None


class HeldOrderView(TypedDict):
    """An order that could not be used. `pointer` says where in the marketplace's order the trouble is."""

    id: str
    integration_id: str
    channel_order_id: str | None
    reason: str
    pointer: str
    channel_request_id: str | None
    held_at: Timestamp
    attempts: int
    erased: bool


class HeldOrderPage(TypedDict):
    """Some held orders, and the cursor that goes on."""

    items: list[HeldOrderView]
    next_cursor: str | None


async def order_views(work: UnitOfWork, tenant: str, orders: Sequence[Order], personal: bool) -> list[OrderView]:
    """Orders as they are shown; the members about the buyer only if `personal`."""
    lines = [(order.integration_id, line.channel_listing_id) for order in orders for line in order.content.lines]
    sold = {(integration_id, listing) for integration_id, listing in lines if listing is not None}
    listing_ids = await work.listings.ids_of(tenant, sold)
    changes = await work.order_changes.of_orders([order.id for order in orders])
    waiting = {one.integration_id for one in orders if is_pending(changes.get(one.id, ()))}
    integrations = await work.integrations.find_all(waiting)
    rests = {integration_id: why_it_rests(integrations.get(integration_id)) for integration_id in waiting}
    views = [_order_view(order, personal, listing_ids) for order in orders]
    for order, view in zip(orders, views, strict=True):
        of_order, why = changes.get(order.id, ()), rests.get(order.integration_id)
        view["dispatch"], view["refund_request"] = dispatch_view(of_order, why), refund_view(of_order, why)
    return views


def _order_view(order: Order, personal: bool, listing_ids: Mapping[tuple[str, str], str]) -> OrderView:
    content = order.content
    view: OrderView = {
        "id": order.id,
        "integration_id": order.integration_id,
        "channel_order_id": order.channel_order_id,
        "transaction_id": order.transaction_id,
        "state": order.state,
        "state_raw": order.state_raw,
        "released_at": optional_timestamp(order.released_at),
        "ship_by": optional_timestamp(order.ship_by),
        "currency": order.currency,
        "currency_defaulted": order.currency_defaulted,
        "lines": [_line_view(line, order, listing_ids) for line in content.lines],
        "totals": {
            "customer_paid": money_view(content.customer_paid),
            "merchant_revenue": money_view(order.merchant_revenue),
        },
        "fulfilment": {"by": content.fulfilled_by, "tracking": [_tracking_view(one) for one in content.tracking]},
        "refunds": [_refund_view(refund) for refund in content.refunds],
        "dispatch": None,
        "refund_request": None,
        "acknowledged_at": optional_timestamp(order.acknowledged_at),
        "acknowledged_version": order.acknowledged_version,
        "channel_updated_at": timestamp(order.channel_updated_at),
        "stored_at": timestamp(order.stored_at),
        "sanitised": order.sanitised,
        "notes": [{"code": note.code, "pointer": note.pointer} for note in order.notes],
        "erased": order.erased,
        "version": order.version,
    }
    if personal:
        view["shipping_address"] = None if order.address is None else _address_view(order.address)
        view["tax"] = None if order.tax is None else tax_view(order.tax)
    return view


def held_order_view(held: HeldOrder) -> HeldOrderView:
    """A held order as it is shown."""
    return {
        "id": held.id,
        "integration_id": held.integration_id,
        "channel_order_id": held.channel_order_id,
        "reason": held.reason,
        "pointer": held.pointer,
        "channel_request_id": held.channel_request_id,
        "held_at": timestamp(held.held_at),
        "attempts": held.attempts,
        "erased": held.erased,
    }


def _line_view(line: OrderLine, order: Order, listing_ids: Mapping[tuple[str, str], str]) -> LineView:
    listing = line.channel_listing_id or ""
    return {
        "sku": line.sku,
        "mapped_sku": order.mapped_skus.get(listing),
        "listing_id": listing_ids.get((order.integration_id, listing)),
        "channel_listing_id": line.channel_listing_id,
        "title": line.title,
        "options": line.options,
        "quantity": line.quantity,
        "unit_price": money_view(line.unit_price),
        "shipping_price": money_view(line.shipping_price),
    }


def _address_view(address: Address) -> AddressView:
    return {
        "name": address.name,
        "street_1": address.street_1,
        "street_2": address.street_2,
        "street_3": address.street_3,
        "city": address.city,
        "region": address.region,
        "postcode": address.postcode,
        "country_code": address.country_code,
        "phone": address.phone,
    }


def _tracking_view(tracking: Tracking) -> TrackingView:
    return {
        "carrier": tracking.carrier,
        "tracking_number": tracking.tracking_number,
        "origin_country": tracking.origin_country,
    }


def _refund_view(refund: Refund) -> RefundView:
    return {
        "refunded_at": optional_timestamp(refund.refunded_at),
        "source": refund.source,
        "reason": refund.reason,
        "amount": money_view(refund.amount),
    }
