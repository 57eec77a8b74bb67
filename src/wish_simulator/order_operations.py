"""The order operations of the merchant API."""

from dataclasses import replace

from wish_simulator.bodies import DeliveryProof, Refund, ShippingAddress, Tracking, as_document, read
from wish_simulator.bulk_jobs import queue_order_download
from wish_simulator.calls import Answer, Call, Operation, answered
from wish_simulator.clock import parsed
from wish_simulator.documents import from_bytes
from wish_simulator.jobs import Job, JobKind
from wish_simulator.order_book import NEVER, OrderQuery, OrderRow
from wish_simulator.order_changes import (
    change_order,
    prove_delivery,
    readdressing,
    refund_reasons,
    refunding,
    request_change,
    shipment,
)
from wish_simulator.refusals import UnknownId, invalid

STATES = ("APPROVED", "SHIPPED", "REFUNDED", "REQUIRE_REVIEW", "DECLINED")
TYPES = (
    "WISH_EXPRESS",
    "FULFILLED_BY_WISH",
    "FULFILLED_BY_STORE",
    "LESS_THAN_TRUCKLOAD",
    "ADVANCED_LOGISTICS",
    "WISH_PLUS",
)
CONFIRMING_CARRIERS = ("DHL Express", "FedEx", "UPS", "USPS")
CARRIERS = (
    *CONFIRMING_CARRIERS,
    "4PX",
    "Canada Post",
    "China Post",
    "DHL eCommerce",
    "La Poste",
    "PostNL",
    "Royal Mail",
    "YunExpress",
)
LARGEST_PAGE = 500
EVERYTHING = 10**9


def list_orders(call: Call) -> Answer:
    rows = call.shop.orders.page(_query(call, call.integer("limit", 50, LARGEST_PAGE)))
    contents = [row.content for row in rows]
    _touch_some(call)
    if "fields" not in call.query:
        return contents
    return answered(call, [from_bytes(content) for content in contents])


def get_order(call: Call) -> Answer:
    row = _row(call)
    return row.content if "fields" not in call.query else answered(call, row.document())


def ship_order(call: Call) -> Answer:
    row = _row(call)
    tracking = read(call.body, Tracking)
    confirming = "CONFIRMED_DELIVERY_POLICY" in row.types
    if tracking.shipping_provider not in (CONFIRMING_CARRIERS if confirming else CARRIERS):
        raise invalid("unknown shipping_provider")
    if row.state not in ("APPROVED", "SHIPPED"):
        raise invalid(f"an order in state {row.state} cannot be shipped")
    request_change(call.market, call.shop, row, shipment(as_document(tracking)))
    return row.content


def modify_address(call: Call) -> Answer:
    row = _row(call)
    address = read(call.body, ShippingAddress)
    if row.state not in ("APPROVED", "REQUIRE_REVIEW"):
        raise invalid(f"the address of an order in state {row.state} cannot change")
    request_change(call.market, call.shop, row, readdressing(as_document(address)))
    return row.content


def refund_order(call: Call) -> Answer:
    row = _row(call)
    refund = read(call.body, Refund)
    if refund.refund_reason not in refund_reasons(row.state):
        raise invalid("this refund_reason is not allowed for the order now")
    note = refund.refund_reason_note if isinstance(refund.refund_reason_note, str) else None
    request_change(call.market, call.shop, row, refunding(refund.refund_reason, note))
    return row.content


def update_order(call: Call) -> Answer:
    row = _row(call)
    delivered_at = read(call.body, DeliveryProof).delivered_at
    if isinstance(delivered_at, str):
        try:
            parsed(delivered_at)
        except ValueError as error:
            raise invalid("delivered_at is not a time") from error
    prove_delivery(call.market, call.shop, row, delivered_at if isinstance(delivered_at, str) else None)
    return row.content


def list_refund_reasons(call: Call) -> Answer:
    return answered(call, list(refund_reasons(_row(call).state)))


def list_carriers(call: Call) -> Answer:
    order_type = call.one_of("order_type", ("GENERAL", "CONFIRMED_DELIVERY"))
    if order_type is None:
        raise invalid("order_type is required")
    if order_type == "CONFIRMED_DELIVERY" and not call.query.get("dest_country_code"):
        raise invalid("dest_country_code is required")
    names = CARRIERS if order_type == "GENERAL" else CONFIRMING_CARRIERS
    return answered(call, [{"name": name} for name in names])


def download_orders(call: Call) -> Answer:
    query = _query(call, call.integer("limit", EVERYTHING))
    return _job_answer(call, queue_order_download(call.market, call.shop, query))


def get_order_download(call: Call) -> Answer:
    job = call.shop.jobs.get(call.id_of("job"))
    if job is None or job.kind is not JobKind.ORDERS:
        raise UnknownId("job")
    return _job_answer(call, job)


def _job_answer(call: Call, job: Job) -> Answer:
    document = job.document(lambda name: f"{call.base_url}/files/{name}", call.market.switches.time_suffix)
    return answered(call, document)


def _row(call: Call) -> OrderRow:
    row = call.shop.orders.find(call.id_of("order"))
    if row is None:
        raise UnknownId("order")
    return row


def _query(call: Call, limit: int) -> OrderQuery:
    member, is_descending = call.sort_by("updated_at.desc", ("updated_at", "released_at"))
    query = OrderQuery(
        limit=limit,
        states=call.several_of("states", STATES),
        order_type=call.one_of("order_type", TYPES),
        updated=(call.time("updated_at_min", 0), call.time("updated_at_max", NEVER)),
        sort_by="released_at" if member == "released_at" else "updated_at",
        is_descending=is_descending,
    )
    if "released_at_min" not in call.query and "released_at_max" not in call.query:
        return query
    return replace(query, released=(call.time("released_at_min", 0), call.time("released_at_max", NEVER)))


def _touch_some(call: Call) -> None:
    """Orders that change while somebody pages: the oldest updates move to the end."""
    oldest = OrderQuery(limit=call.market.switches.touch_orders_per_list, is_descending=False)
    if not oldest.limit:
        return
    for row in call.shop.orders.page(oldest):
        change_order(call.market, row, call.shop, lambda document, at: None)


OPERATIONS = (
    Operation("GET", "/api/v3/orders", list_orders, "orders:read"),
    Operation("GET", "/api/v3/orders/shipping_carriers", list_carriers, "orders:read"),
    Operation("POST", "/api/v3/orders/bulk_get", download_orders, "orders:read"),
    Operation("GET", "/api/v3/orders/bulk_get/{id}", get_order_download, "orders:read"),
    Operation("GET", "/api/v3/orders/{id}", get_order, "orders:read"),
    Operation("PUT", "/api/v3/orders/{id}", update_order, "orders:write"),
    Operation("PUT", "/api/v3/orders/{id}/tracking", ship_order, "orders:write"),
    Operation("PUT", "/api/v3/orders/{id}/address", modify_address, "orders:write"),
    Operation("GET", "/api/v3/orders/{id}/refund_reasons", list_refund_reasons, "orders:read"),
    Operation("PUT", "/api/v3/orders/{id}/refund", refund_order, "orders:write"),
)
