"""Changes of orders: those a merchant asks for settle later, those made here by Wish happen at once."""

from collections.abc import Callable
from dataclasses import dataclass

from wish_simulator.clock import parsed
from wish_simulator.documents import Document
from wish_simulator.marketplace import Marketplace
from wish_simulator.order_book import OrderRow
from wish_simulator.refusals import invalid
from wish_simulator.shop import Shop

PROOF_DAYS_MS = 90 * 24 * 3600 * 1000
REASONS_BEFORE_SHIPPING = (
    "UNABLE_TO_SHIP",
    "MERCHANT_OUT_OF_STOCK",
    "MERCHANT_REPORTED_ORDER",
    "MERCHANT_REPORTED_BUYER_FRAUD",
)
REASONS_AFTER_SHIPPING = (
    "ITEM_RETURNED_TO_SENDER",
    "ITEM_IS_DAMAGED",
    "SHIPPING_TAKING_TOO_LONG",
    "ITEM_DOES_NOT_FIT",
    "RECEIVED_WRONG_ITEM",
    "ITEM_IS_COUNTERFEIT",
    "ITEM_DOES_NOT_WORK_AS_DESCRIBED",
    "ITEM_DOES_NOT_MATCH_LISTING",
    "ITEM_MARKED_DELIVERED_BUT_DID_NOT_ARRIVE",
    "MERCHANT_SENT_TO_WRONG_ADDRESS",
    "REPLACEMENT_NEVER_RECEIVED",
    "WRONG_COLOR",
    "ITEM_IS_POOR_QUALITY",
    "INCOMPLETE_ORDER",
    "EMPTY_PACKAGE",
    "PRODUCT_LISTING_MISSING_INFO",
    "ITEM_DID_NOT_MEET_EXPECTATIONS",
    "RECEIVED_NOTE_FROM_MERCHANT",
)


def refund_reasons(state: str) -> tuple[str, ...]:
    match state:
        case "APPROVED":
            return REASONS_BEFORE_SHIPPING
        case "SHIPPED":
            return REASONS_AFTER_SHIPPING
        case _:
            return ()


Change = Callable[[Document, str], None]


@dataclass(frozen=True)
class Request:
    """A change that settles later: its name on the order, what it does if it succeeds, whom it tells."""

    source: str
    change: Change
    topic: str


def request_change(market: Marketplace, shop: Shop, row: OrderRow, request: Request) -> None:
    """Marks the order as in progress and settles it after the configured delay."""
    if row.document().get("processing_status") == "IN_PROGRESS":
        raise invalid("another change of this order is in progress")

    def begin(document: Document, at: str) -> None:
        document["processing_source"] = request.source
        document["processing_status"] = "IN_PROGRESS"

    change_order(market, row, shop, begin)
    due_ms = market.later(market.switches.settle_delay_s)
    market.agenda.at(due_ms, lambda at_ms: _settle(market, shop, row, request, at_ms))


def _settle(market: Marketplace, shop: Shop, row: OrderRow, request: Request, at_ms: int) -> None:
    outcome = market.switches.settle_outcome

    def settle(document: Document, at: str) -> None:
        document["processing_status"] = outcome
        if outcome == "SUCCEEDED":
            request.change(document, at)

    change_order(market, row, shop, settle, at_ms)
    if outcome == "SUCCEEDED":
        market.tell(request.topic, shop, row.id, row.content)


def change_order(market: Marketplace, row: OrderRow, shop: Shop, change: Change, at_ms: int | None = None) -> None:
    """Changes the order and moves its `updated_at` to that time, now unless given."""
    updated_ms = market.clock.now_ms() if at_ms is None else at_ms
    document = row.document()
    document["updated_at"] = market.written(updated_ms)
    change(document, document["updated_at"])
    shop.orders.replace(row, document, updated_ms, _released_ms(document))


def _released_ms(document: Document) -> int | None:
    released_at = document.get("released_at")
    return None if released_at is None else parsed(released_at)


def _entries(document: Document, name: str) -> list[Document]:
    """A list of the order to add to, also when a test took it away."""
    entries: list[Document] = document.get(name) or []
    document[name] = entries
    return entries


def shipment(tracking: Document) -> Request:
    entry = {**tracking, "shipping_provider": {"name": tracking["shipping_provider"]}}

    def ship(document: Document, at: str) -> None:
        if document.get("state") != "SHIPPED":
            _entries(document, "fulfillment_records").append({"event_type": "MARK_SHIPPED", "event_time": at})
        document["state"] = "SHIPPED"
        # Newest first, at most two.
        document["tracking_information"] = [entry, *_entries(document, "tracking_information")][:2]

    return Request("UPDATE_TRACKING", ship, "ORDER_TRACKING_UPDATE")


def refunding(reason: str, note: str | None) -> Request:
    def refund(document: Document, at: str) -> None:
        payment = (document.get("order_payment") or {}).get("general_payment_details") or {}
        total = payment.get("payment_total")
        entry = {
            "refund_time": at,
            "refund_source": "MERCHANT",
            "refund_reason": reason.replace("_", " ").capitalize(),
            "refund_amount": total,
            "merchant_responsible_amount": total,
        }
        _entries(document, "refunds").append(entry if note is None else {**entry, "refund_reason_note": note})
        document["state"] = "REFUNDED"

    return Request("REFUND", refund, "ORDER_REFUND")


def readdressing(address: Document) -> Request:
    def readdress(document: Document, at: str) -> None:
        detail = (document.get("full_address") or {}).get("shipping_detail") or {}
        document["full_address"] = {"shipping_detail": {**detail, **address}}

    return Request("MODIFY_SHIPPING", readdress, "ORDER_ADDRESS_CHANGE")


def prove_delivery(market: Marketplace, shop: Shop, row: OrderRow, delivered_at: str | None) -> None:
    """The one synchronous change: proof for a less-than-truckload order, up to 90 days after shipping."""
    if "LESS_THAN_TRUCKLOAD" not in row.types:
        raise invalid("only less-than-truckload orders take a delivery proof")
    records = _entries(row.document(), "fulfillment_records")
    shipped = [record["event_time"] for record in records if record["event_type"] == "MARK_SHIPPED"]
    if not shipped or parsed(shipped[-1]) + PROOF_DAYS_MS < market.clock.now_ms():
        raise invalid("the proof must come within 90 days after shipping")

    def prove(document: Document, at: str) -> None:
        if delivered_at is not None:
            _entries(document, "fulfillment_records").append(
                {"event_type": "CONFIRMED_DELIVERED", "event_time": delivered_at}
            )

    change_order(market, row, shop, prove)


def rerelease(market: Marketplace, shop: Shop, row: OrderRow) -> None:
    """Back to APPROVED, from any state, as Wish does when tracking is cancelled or a refund taken back."""

    def release(document: Document, at: str) -> None:
        records = _entries(document, "fulfillment_records")
        if document.get("state") == "SHIPPED":
            document["tracking_information"] = []
            records.append({"event_type": "TRACKING_CANCELLED", "event_time": at})
        event = "ORDER_RELEASED" if document.get("released_at") is None else "ORDER_RE_RELEASED"
        records.append({"event_type": event, "event_time": at})
        document["released_at"] = at
        document["state"] = "APPROVED"

    change_order(market, row, shop, release)
    market.tell("ORDER_RELEASE", shop, row.id, row.content)
