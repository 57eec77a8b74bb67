"""Wish's products, turned into listings: one for each variation."""

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from channel_sync.channels.wish.connection import Connection, segment
from channel_sync.channels.wish.plain_text import clean
from channel_sync.channels.wish.replies import Family, Reply, not_understood, read
from channel_sync.channels.wish.times import as_utc, query_time
from channel_sync.domain.channel import CatalogueBatch, CatalogueJob, ChangedProducts, JobState
from channel_sync.domain.listings import ChannelListing

PRODUCTS_PATH = "/api/v3/products"
_CATALOGUE_PATH = f"{PRODUCTS_PATH}/bulk_get"
_LIMIT = 1000
_MOST_CHANGED = 2000
_BATCH = 300
_REMOVED = ("REMOVED_BY_WISH", "REMOVED_BY_MERCHANT")

_logger = logging.getLogger(__name__)


class WishImage(Struct, gc=False):
    """An image by its address."""

    url: str | None = None


class WishInventory(Struct, gc=False):
    """The units of one variation in one warehouse."""

    warehouse_id: str | int
    inventory: int | None = None


class WishVariation(Struct, gc=False):
    """One variation. `quantity_value` of Wish's schema is no stock and so is not here."""

    id: str | int
    sku: str | int | None = None
    status: str | None = None
    image: str | None = None
    inventories: list[WishInventory] | None = None
    request_id: str | None = None


class WishProduct(Struct, gc=False):
    """A product; its variations are read one by one, so that a bad one does not hide the others."""

    id: str | int
    name: str | None = None
    state: str | None = None
    status: str | None = None
    main_image: WishImage | None = None
    variations: list[Raw] | None = None
    request_id: str | None = None


class WishBulkJob(Struct, gc=False):
    """A job over the whole catalogue, or over many products."""

    id: str | int
    status: str | None = None
    file_urls: list[str] | None = None

    @property
    def state(self) -> JobState:
        """Where the job is; a word we do not know is no end."""
        return {"READY": JobState.READY, "EXCEPTION": JobState.FAILED}.get(self.status or "", JobState.PENDING)


class _ChangedRow(Struct, gc=False):
    id: str | int | None = None
    updated_at: datetime | None = None


_PRODUCT = msgspec.json.Decoder(WishProduct)
_VARIATION = msgspec.json.Decoder(WishVariation)


async def start_catalogue(connection: Connection) -> str:
    """The id of a new download of all products."""
    return str((await connection.queue(Family.PRODUCTS, _CATALOGUE_PATH)).read(WishBulkJob).id)


async def catalogue_job(connection: Connection, job_id: str) -> CatalogueJob:
    """Where the download is."""
    reply = await connection.get(Family.PRODUCTS, f"{_CATALOGUE_PATH}/{segment(job_id)}")
    job = reply.read(WishBulkJob)
    return CatalogueJob(job.state, tuple(job.file_urls or ()) if job.state is JobState.READY else ())


async def catalogue(connection: Connection, file_urls: Sequence[str]) -> AsyncIterator[CatalogueBatch]:
    """The listings of a download's files, a few hundred at a time."""
    batch, left_out = [], 0
    for url in file_urls:
        async for line in connection.lines(url):
            listings, unreadable = _listings_in(line)
            batch += listings
            left_out += unreadable
            if len(batch) >= _BATCH:
                yield CatalogueBatch(tuple(batch), left_out)
                batch, left_out = [], 0
    if batch or left_out:
        yield CatalogueBatch(tuple(batch), left_out)


def _listings_in(line: bytes) -> tuple[list[ChannelListing], int]:
    """The listings of one product, and how many cannot be read: a strange product, or single variations.

    A line that is no JSON means a broken file, whose rest would be missing.
    """
    try:
        product = _PRODUCT.decode(clean(line))
    except msgspec.ValidationError:
        _logger.warning("A product of Wish's catalogue cannot be read and is left out.")
        return [], 1
    except (ValueError, RecursionError):
        raise not_understood("not_json", "A line of Wish's catalogue is not JSON.") from None
    listings = list(listings_of(product))
    return listings, len(product.variations or ()) - len(listings)


async def product_listings(connection: Connection, product_id: str) -> tuple[ChannelListing, ...]:
    """The listings of one product as they are now."""
    return tuple(listings_of(read_product(await product_text(connection, product_id))))


async def product_text(connection: Connection, product_id: str) -> bytes:
    """One product as Wish writes it."""
    reply = await connection.get(Family.PRODUCTS, f"{PRODUCTS_PATH}/{segment(product_id)}")
    return bytes(reply.data)


async def changed_products(connection: Connection, since: datetime) -> ChangedProducts:
    """Products changed since a moment. Incomplete after 2000 of them, or when a page is all of one instant.

    Wish has no way past such a page; the whole catalogue's download has.
    """
    ids: dict[str, None] = {}
    newest = since
    while len(ids) < _MOST_CHANGED:
        rows = (await _changed_since(connection, since)).read(list[_ChangedRow])
        ids.update((str(row.id), None) for row in rows if row.id is not None)
        newest = max((as_utc(row.updated_at) for row in rows if row.updated_at is not None), default=since)
        if len(rows) < _LIMIT:
            return ChangedProducts(tuple(ids), newest if ids else None, complete=True)
        if newest <= since:
            break
        since = newest
    return ChangedProducts(tuple(ids), newest, complete=False)


async def _changed_since(connection: Connection, since: datetime) -> Reply:
    query = (
        ("sort_by", "updated_at.asc"),
        ("updated_at_min", query_time(since)),
        ("limit", str(_LIMIT)),
    )
    return await connection.get(Family.PRODUCTS, PRODUCTS_PATH, query)


def read_product(text: bytes) -> WishProduct:
    """The product; ReplyNotUnderstood when the text is none."""
    return read(clean(text), WishProduct)


def variations_of(product: WishProduct) -> Iterator[WishVariation]:
    """The product's readable variations."""
    for text in product.variations or ():
        try:
            yield _VARIATION.decode(text)
        except (ValueError, RecursionError):
            _logger.warning("A variation of Wish product %s cannot be read and is left out.", product.id)


def listings_of(product: WishProduct) -> Iterator[ChannelListing]:
    """A listing for each variation. What Wish or the merchant removed cannot be written to."""
    is_removed = product.state in _REMOVED or product.status in _REMOVED
    main_image = None if product.main_image is None else product.main_image.url
    for variation in variations_of(product):
        yield ChannelListing(
            product_id=str(product.id),
            variation_id=str(variation.id),
            sku=None if variation.sku in (None, "") else str(variation.sku),
            title=product.name,
            image_url=variation.image or main_image,
            writable=not is_removed and variation.status != "REMOVED_BY_WISH",
            quantities=tuple(quantities_of(variation).items()),
        )


def quantities_of(variation: WishVariation) -> dict[str, int]:
    """Units by warehouse, in Wish's order."""
    inventories = variation.inventories or ()
    return {str(one.warehouse_id): one.inventory for one in inventories if one.inventory is not None}
