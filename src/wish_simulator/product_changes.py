"""Creating, changing and removing products: all of a call or nothing of it."""

from wish_simulator.bodies import (
    ChangedProduct,
    ChangedVariation,
    NewProduct,
    NewVariation,
    as_document,
    refuse_markup,
)
from wish_simulator.catalogue import ProductRow, set_stock
from wish_simulator.documents import Document, copied, to_bytes
from wish_simulator.marketplace import Marketplace
from wish_simulator.product_documents import a_product, a_variation
from wish_simulator.refusals import UnknownId, invalid
from wish_simulator.reviews import a_review
from wish_simulator.shop import Shop

MOST_VARIATIONS = 400


def product_row(shop: Shop, product_id: str) -> ProductRow:
    row = shop.catalogue.find(product_id)
    if row is None:
        raise UnknownId("product")
    return row


def create_product(market: Marketplace, shop: Shop, body: NewProduct) -> Document:
    refuse_markup(body.description)
    document = _shown(as_document(body))
    if any(row.document["parent_sku"] == body.parent_sku for row in shop.catalogue if not row.is_removed):
        raise invalid("parent_sku is used by another product")
    suffix = market.switches.time_suffix
    row = a_product(document, next(shop.arrivals), market.clock.now_ms(), suffix)
    _refuse_inconsistent(shop, row.document)
    if not market.switches.listing_review:
        shop.catalogue.put(row)
        return row.document
    row.document.update(state="WISH_INACTIVE", status="PENDING_REVIEW")
    shop.catalogue.put(row)
    return _send_to_review(market, shop, row, {**row.document, "state": "ACTIVE", "status": "APPROVED"})


def update_product(market: Marketplace, shop: Shop, row: ProductRow, body: ChangedProduct) -> Document:
    """The whole product after the change, or as it is with a `request_id` while the change is reviewed."""
    merged = _merged(market, shop, row, body)
    changes = as_document(body)
    if market.switches.listing_review and not _is_stock_only(changes):
        return _send_to_review(market, shop, row, merged)
    _store(market, row, merged, market.clock.now_ms())
    _tell(market, shop, row, changes)
    return row.document


def add_variation(market: Marketplace, shop: Shop, row: ProductRow, body: NewVariation) -> Document:
    _refuse_removed(row)
    if len(row.variations) >= MOST_VARIATIONS:
        raise invalid("a product has at most 400 variations")
    variation = a_variation(row.document["id"], _shown_variation(as_document(body)))
    merged = copied(row.document)
    merged["variations"].append(variation)
    _refuse_inconsistent(shop, merged)
    if market.switches.listing_review:
        answer = _send_to_review(market, shop, row, merged)
        return {**variation, "request_id": answer["request_id"]}
    _store(market, row, merged, market.clock.now_ms())
    shop.catalogue.put(row)
    return variation


def remove_product(market: Marketplace, row: ProductRow) -> None:
    _refuse_removed(row)
    merged = {**row.document, "state": "REMOVED_BY_MERCHANT", "status": "REMOVED_BY_MERCHANT"}
    _store(market, row, merged, market.clock.now_ms())


def set_variation_stock(
    market: Marketplace, shop: Shop, row: ProductRow, variation: Document, stock: dict[str, int]
) -> None:
    """What the merchant does by hand in the dashboard: sets the stock of one variation by warehouse."""
    for warehouse_id, inventory in stock.items():
        set_stock(variation, warehouse_id, inventory)
    _store(market, row, row.document, market.clock.now_ms())
    _tell(market, shop, row, {"variations": [{"id": variation["id"], "inventories": []}]})


def _merged(market: Marketplace, shop: Shop, row: ProductRow, body: ChangedProduct) -> Document:
    _refuse_removed(row)
    refuse_markup(body.description)
    merged = copied(row.document)
    changes = as_document(body)
    by_id = {variation["id"]: variation for variation in merged["variations"]}
    for variation in body.variations or ():
        _merge_variation(market, by_id, variation)
    status = changes.pop("status", None)
    if status is not None:
        merged["state"] = "ACTIVE" if status == "ENABLED" else "MERCHANT_INACTIVE"
    changes.pop("variations", None)
    merge(merged, _shown(changes))
    _refuse_inconsistent(shop, merged)
    return merged


def _merge_variation(market: Marketplace, by_id: dict[str, Document], change: ChangedVariation) -> None:
    variation = by_id.get(change.id)
    if variation is None:
        raise UnknownId(f"variation {change.id}")
    if variation["status"] == "REMOVED_BY_WISH":
        raise invalid(f"variation {change.id} was removed by Wish")
    changes = as_document(change)
    places = changes.pop("inventories", None)
    merge(variation, _shown_variation(changes))
    if places is None:
        return
    if market.switches.omitted_warehouses == "reset":
        for place in variation["inventories"]:
            place["inventory"] = 0
    for place in places:
        set_stock(variation, place["warehouse_id"], place["inventory"])


def _shown(sent: Document) -> Document:
    """Without the member that is taken but never shown."""
    variations = [_shown_variation(one) for one in sent.get("variations", ())]
    shown = {name: value for name, value in sent.items() if name != "consignment"}
    return {**shown, "variations": variations} if variations else shown


def _shown_variation(sent: Document) -> Document:
    return {name: value for name, value in sent.items() if name != "merchant_set_cost"}


def merge(document: Document, changes: Document) -> None:
    """Members sent replace, null removes, the rest stays; `attributes` and `logistics_details` merge inside."""
    for name, value in changes.items():
        if value is None:
            document.pop(name, None)
        elif name == "attributes":
            document[name] = _merged_attributes(document.get(name) or [], value)
        elif name == "logistics_details":
            document[name] = {**document.get(name, {}), **value}
        else:
            document[name] = value


def _merged_attributes(before: list[Document], sent: list[Document]) -> list[Document]:
    values = {one["name"]: one for one in before}
    for one in sent:
        if one.get("value") is None:
            values.pop(one["name"], None)
        else:
            values[one["name"]] = one
    return list(values.values())


def _refuse_removed(row: ProductRow) -> None:
    if row.is_removed:
        raise invalid("a removed product cannot be updated")


def _refuse_inconsistent(shop: Shop, document: Document) -> None:
    """What no schema can say: SKUs used twice, unknown warehouses, images the product does not have."""
    skus = [variation["sku"] for variation in document["variations"]]
    if len(set(skus)) != len(skus):
        raise invalid("duplicate SKU")
    before = shop.catalogue.find(document["id"])
    known = set() if before is None else {variation["sku"] for variation in before.variations}
    added = set(skus) - known
    if added and added & shop.catalogue.skus_elsewhere(document["id"]):
        raise invalid("duplicate SKU")
    warehouse_ids = {warehouse.id for warehouse in shop.warehouses}
    images = {image.get("url") for image in (document["main_image"], *(document.get("extra_images") or ()))}
    for variation in document["variations"]:
        if not {place["warehouse_id"] for place in variation["inventories"]} <= warehouse_ids:
            raise invalid("unknown warehouse")
        if variation.get("image") and variation["image"] not in images:
            raise invalid("the image of a variation must be one of the product's images")


def _is_stock_only(changes: Document) -> bool:
    members = {name for variation in changes.get("variations", ()) for name in variation}
    return changes.keys() <= {"variations"} and members <= {"id", "inventories"}


def _store(market: Marketplace, row: ProductRow, document: Document, at_ms: int) -> None:
    document["updated_at"] = market.written(at_ms)
    row.document = document
    row.updated_ms = at_ms


def _send_to_review(market: Marketplace, shop: Shop, row: ProductRow, proposal: Document) -> Document:
    review = a_review(proposal, market.clock.now_ms())
    shop.reviews[review.id] = review

    def decide(at_ms: int) -> None:
        if shop.reviews.get(review.id) is not review:
            return
        review.status = market.switches.review_verdict
        if review.status == "APPROVED":
            _store(market, row, review.proposal, at_ms)
            shop.catalogue.put(row)

    market.agenda.at(market.later(market.switches.review_delay_s), decide)
    return {**row.document, "request_id": review.id}


def _tell(market: Marketplace, shop: Shop, row: ProductRow, changes: Document) -> None:
    content = to_bytes(row.document)
    if any("inventories" in variation for variation in changes.get("variations", ())):
        market.tell("PRODUCT_INVENTORY_CHANGE_MERCHANT", shop, row.document["id"], content)
    if not _is_stock_only(changes):
        market.tell("PRODUCT_UPDATE_MERCHANT", shop, row.document["id"], content)
