"""The product, variation and review operations of the merchant API."""

from uuid import UUID

from wish_simulator.bodies import ChangedProduct, NewProduct, NewVariation, read
from wish_simulator.calls import Answer, Call, Operation, answered
from wish_simulator.catalogue import ProductRow
from wish_simulator.order_book import NEVER
from wish_simulator.product_changes import (
    add_variation,
    create_product,
    product_row,
    remove_product,
    update_product,
)
from wish_simulator.refusals import UnknownId, invalid
from wish_simulator.reviews import Review

STATES = ("ACTIVE", "WISH_INACTIVE", "MERCHANT_INACTIVE", "REMOVED_BY_WISH", "REMOVED_BY_MERCHANT")
STATUSES = ("PENDING_REVIEW", "APPROVED", "REJECTED", "REMOVED_BY_WISH", "REMOVED_BY_MERCHANT")
REVIEW_STATUSES = ("APPROVED", "BLOCKED", "UNDER_REVIEW")
DEFAULT_STATUSES = frozenset(("PENDING_REVIEW", "APPROVED"))
COLORS = {
    "antiquegold": "Antique gold",
    "black": "Black",
    "blue": "Blue",
    "green": "Green",
    "natural": "Natural",
    "orange": "Orange",
    "red": "Red",
    "white": "White",
}


def list_products(call: Call) -> Answer:
    limit = call.integer("limit", 50, 1000)
    member, is_descending = call.sort_by("updated_at.desc", ("updated_at", "created_at"))
    (created_min, created_max), (updated_min, updated_max) = _windows(call)
    rows = [
        row
        for row in _filtered(call)
        if created_min <= row.created_ms <= created_max and updated_min <= row.updated_ms <= updated_max
    ]
    rows.sort(
        key=lambda row: (row.created_ms if member == "created_at" else row.updated_ms, row.arrival),
        reverse=is_descending,
    )
    return answered(call, [row.short_document() for row in rows[:limit]])


def _filtered(call: Call) -> list[ProductRow]:
    """By `state` if given; else by `statuses`, whose default leaves out rejected and removed products."""
    state = call.one_of("state", STATES)
    statuses = call.several_of("statuses", STATUSES)
    if state is None and statuses is None:
        statuses = DEFAULT_STATUSES
    parent_sku = call.query.get("parent_sku")
    return [
        row
        for row in call.shop.catalogue
        if (state is None or row.document["state"] == state)
        and (statuses is None or row.document["status"] in statuses)
        and (parent_sku is None or row.document["parent_sku"] == parent_sku)
    ]


def _windows(call: Call) -> tuple[tuple[int, int], tuple[int, int]]:
    """Bounds on the creation, which the server cuts to whole seconds, and on the last update."""
    created = (call.time("created_at_min", 0), call.time("created_at_max", NEVER))
    updated = (call.time("updated_at_min", 0), call.time("updated_at_max", NEVER))
    return (created[0] // 1000 * 1000, created[1] // 1000 * 1000), updated


def create(call: Call) -> Answer:
    return answered(call, create_product(call.market, call.shop, read(call.body, NewProduct)))


def get(call: Call) -> Answer:
    return answered(call, product_row(call.shop, call.id_of("product")).document)


def update(call: Call) -> Answer:
    row = product_row(call.shop, call.id_of("product"))
    return answered(call, update_product(call.market, call.shop, row, read(call.body, ChangedProduct)))


def delete(call: Call) -> Answer:
    remove_product(call.market, product_row(call.shop, call.id_of("product")))
    return None


def create_variation(call: Call) -> Answer:
    row = product_row(call.shop, call.id_of("product"))
    return answered(call, add_variation(call.market, call.shop, row, read(call.body, NewVariation)))


def list_reviews(call: Call) -> Answer:
    member, is_descending = call.sort_by("created_at.asc", ("product_id", "created_at"))
    first, last = call.time("min_created_at", 0), call.time("max_created_at", NEVER)
    statuses = call.several_of("statuses", REVIEW_STATUSES)
    wanted = [
        review
        for review in call.shop.reviews.values()
        if first <= review.created_ms <= last
        and (statuses is None or review.status in statuses)
        and call.query.get("product_id", review.product_id) == review.product_id
        and call.query.get("id", review.id) == review.id
    ]
    wanted.sort(
        key=lambda one: (one.product_id if member == "product_id" else "", one.created_ms), reverse=is_descending
    )
    return answered(call, [review.document(call.market.switches.time_suffix) for review in wanted])


def get_review(call: Call) -> Answer:
    return answered(call, _review(call).document(call.market.switches.time_suffix))


def delete_review(call: Call) -> Answer:
    review = _review(call)
    if review.status != "UNDER_REVIEW":
        raise invalid("the request is already decided")
    del call.shop.reviews[review.id]
    return None


def _review(call: Call) -> Review:
    try:
        review_id = str(UUID(call.path["id"]))
    except ValueError as error:
        raise UnknownId("request") from error
    review = call.shop.reviews.get(review_id)
    if review is None:
        raise UnknownId("request")
    return review


def list_colors(call: Call) -> Answer:
    _, is_descending = call.sort_by("id.asc", ("id",))
    first, last = call.query.get("id_min", ""), call.query.get("id_max", "\uffff")
    limit = call.integer("limit", len(COLORS))
    ids = sorted((id for id in COLORS if first <= id <= last), reverse=is_descending)
    return answered(call, [{"id": id, "name": COLORS[id]} for id in ids[:limit]])


OPERATIONS = (
    Operation("GET", "/api/v3/products", list_products, "products:read"),
    Operation("POST", "/api/v3/products", create, "products:write"),
    Operation("GET", "/api/v3/products/requests", list_reviews, "products:read"),
    Operation("GET", "/api/v3/products/requests/{id}", get_review, "products:read"),
    Operation("DELETE", "/api/v3/products/requests/{id}", delete_review, "products:write"),
    Operation("GET", "/api/v3/products/variations/colors", list_colors),
    Operation("POST", "/api/v3/products/{id}/variations", create_variation, "products:write"),
    Operation("GET", "/api/v3/products/{id}", get, "products:read"),
    Operation("PUT", "/api/v3/products/{id}", update, "products:write"),
    Operation("DELETE", "/api/v3/products/{id}", delete, "products:write"),
)
