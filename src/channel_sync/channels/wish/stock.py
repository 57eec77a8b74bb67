"""Stock written to Wish: one product at once, or many by a job (published v3 document 3.0.65, July 2026)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from channel_sync.channels.wish.connection import WishConnection, segment
from channel_sync.channels.wish.jobs import job_id, job_of
from channel_sync.channels.wish.listings import (
    PRODUCTS_PATH,
    WishProduct,
    product_text,
    quantities_of,
    read_product,
    variations_of,
)
from channel_sync.channels.wish.replies import Family
from channel_sync.channels.wish.stock_results import refusals
from channel_sync.domain.channel import StockJob
from channel_sync.domain.errors import ChannelRefused, ReplyNotUnderstood
from channel_sync.domain.job_state import JobState
from channel_sync.domain.listings import ListingStock, ProductStock, Quantities, StockOutcome

_JOB_PATH = f"{PRODUCTS_PATH}/bulk_update"
_VARIATIONS_PER_CALL = 400
_IN_REVIEW = "Wish reviews the change before it shows."

JsonObject = dict[str, object]


async def set_stock(connection: WishConnection, product: ProductStock) -> tuple[StockOutcome, ...]:
    """Write one product's stock; an outcome for each listing, taken from what Wish then shows."""
    return tuple([outcome for part in _parts(product) for outcome in await _written(connection, part)])


async def start_stock_job(connection: WishConnection, products: Sequence[ProductStock]) -> str:
    """The id of a new update job; its body is a bare array."""
    body = [
        {"id": part.product_id, "variations": _variations(part.listings)}
        for product in products
        for part in _parts(product)
    ]
    return job_id(await connection.post(Family.PRODUCTS, _JOB_PATH, body))


async def stock_job(connection: WishConnection, id: str) -> StockJob:
    """Where the job is, and what it refused. A result that names no product is a failed job: it hides somebody."""
    state, urls = job_of(await connection.get(Family.PRODUCTS, f"{_JOB_PATH}/{segment(id)}"))
    if state is not JobState.READY:
        return StockJob(state)
    refused = await refusals(connection, urls)
    return StockJob(JobState.FAILED) if refused is None else StockJob(JobState.READY, refused)


async def _written(connection: WishConnection, product: ProductStock) -> list[StockOutcome]:
    """One refused variation may be why all were: then each is tried alone, once."""
    path = f"{PRODUCTS_PATH}/{segment(product.product_id)}"
    try:
        reply = await connection.put(Family.PRODUCTS, path, {"variations": _variations(product.listings)})
    except ChannelRefused as refusal:
        if len(product.listings) == 1:
            (only,) = product.listings
            return [StockOutcome(only.listing_id, only.version, False, refusal.code, refusal.message)]
        alone = [replace(product, listings=(listing,)) for listing in product.listings]
        return [outcome for single in alone for outcome in await _written(connection, single)]
    return await _checked(connection, product, bytes(reply.data))


async def _checked(connection: WishConnection, product: ProductStock, text: bytes) -> list[StockOutcome]:
    """The outcomes by what the reply shows, or else by what the product shows when it is read anew."""
    seen = _Seen(text)
    if not all(seen.shows(listing) or seen.is_in_review(listing) for listing in product.listings):
        seen = _Seen(await product_text(connection, product.product_id))
    return [seen.outcome(listing) for listing in product.listings]


class _Seen:
    """A product after a write. Without a readable product nothing is seen."""

    def __init__(self, text: bytes) -> None:
        try:
            product = read_product(text)
        except ReplyNotUnderstood:
            product = WishProduct("")
        self._is_in_review = bool(product.request_id)
        self._variations = {str(variation.id): variation for variation in variations_of(product)}

    def shows(self, listing: ListingStock) -> bool:
        """Whether every warehouse that was named has what was written."""
        quantities = dict(self._quantities(listing) or ())
        return all(quantities.get(warehouse) == units for warehouse, units in listing.quantities)

    def _quantities(self, listing: ListingStock) -> Quantities | None:
        variation = self._variations.get(listing.variation_id)
        return None if variation is None else tuple(quantities_of(variation).items())

    def is_in_review(self, listing: ListingStock) -> bool:
        """Whether Wish's listing review keeps the change for now."""
        variation = self._variations.get(listing.variation_id)
        return self._is_in_review or (variation is not None and bool(variation.request_id))

    def outcome(self, listing: ListingStock) -> StockOutcome:
        """A change in review is accepted, and says so: Wish has it, and asking again would change nothing."""
        ours, seen = (listing.listing_id, listing.version), self._quantities(listing)
        if self.shows(listing):
            return StockOutcome(*ours, True, seen=seen)
        if self.is_in_review(listing):
            return StockOutcome(*ours, True, "under_review", _IN_REVIEW, seen, shown=False)
        return StockOutcome(*ours, False, "not_applied", "Wish took the change but does not show it.", seen)


def _parts(product: ProductStock) -> Iterator[ProductStock]:
    for start in range(0, len(product.listings), _VARIATIONS_PER_CALL):
        yield replace(product, listings=product.listings[start : start + _VARIATIONS_PER_CALL])


def _variations(listings: Iterable[ListingStock]) -> list[JsonObject]:
    """Only stock and ids: what is left out of a product stays as it is. Of warehouses nobody knows beforehand."""
    return [
        {
            "id": listing.variation_id,
            "inventories": [{"warehouse_id": id, "inventory": units} for id, units in listing.quantities],
        }
        for listing in listings
    ]
