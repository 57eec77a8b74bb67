"""Wish's products, turned into listings: one for each variation."""

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Raw, Struct

from channel_sync.channels.http.off_loop import off_loop
from channel_sync.channels.wish.caps import (
    MOST_COMMAS,
    MOST_REPLY_BYTES,
    Id,
    Inventory,
    Many,
    Several,
    Sku,
    Title,
    Url,
    Word,
)
from channel_sync.channels.wish.connection import Query, WishConnection, segment
from channel_sync.channels.wish.jobs import job_id, job_of
from channel_sync.channels.wish.lenient import DECIDES, Unfit, read_members
from channel_sync.channels.wish.plain_text import clean
from channel_sync.channels.wish.replies import Family, not_understood, read
from channel_sync.channels.wish.rows import is_whole, loose_members, loose_value, rows_of
from channel_sync.channels.wish.times import plausible, query_time
from channel_sync.domain.channel import CatalogueBatch, CatalogueJob, ChangedProducts
from channel_sync.domain.clock_skew import is_ahead
from channel_sync.domain.errors import NotAtChannel
from channel_sync.domain.listings import ChannelListing
from channel_sync.domain.orders import Flaw

PRODUCTS_PATH = "/api/v3/products"
_CATALOGUE_PATH = f"{PRODUCTS_PATH}/bulk_get"
_LIMIT = 1000
_MOST_CHANGED = 2000
_BATCH = 300
_DELETED = "REMOVED_BY_MERCHANT"
_REMOVED = "REMOVED_BY_WISH"

_logger = logging.getLogger(__name__)


class WishImage(Struct, gc=False):
    """An image by its address."""

    url: Url | None = None


class WishInventory(Struct, gc=False):
    """The units of one variation in one warehouse."""

    warehouse_id: Id
    inventory: Annotated[Inventory | None, DECIDES] = None


class WishVariation(Struct, gc=False):
    """One variation. `quantity_value` of Wish's schema is no stock and so is not here."""

    id: Id
    sku: Annotated[Sku | None, DECIDES] = None
    status: Annotated[Word | None, DECIDES] = None
    image: Url | None = None
    inventories: Annotated[Annotated[list[WishInventory], Several] | None, DECIDES] = None
    request_id: Word | None = None


class WishProduct(Struct, gc=False):
    """A product; its variations are read one by one, so that a bad one does not hide the others."""

    id: Id
    name: Title | None = None
    state: Annotated[Word | None, DECIDES] = None
    status: Annotated[Word | None, DECIDES] = None
    main_image: WishImage | None = None
    variations: Annotated[Annotated[list[Raw], Many] | None, DECIDES] = None
    request_id: Word | None = None


class _ChangedRow(Struct, gc=False):
    id: Id | None = None
    updated_at: datetime | None = None


_PRODUCT = msgspec.json.Decoder(WishProduct)
_VARIATION = msgspec.json.Decoder(WishVariation)
_CHANGED_ROW = msgspec.json.Decoder(_ChangedRow)
_ID: msgspec.json.Decoder[str | int] = msgspec.json.Decoder(Id)
_TIME = msgspec.json.Decoder(datetime)


async def start_catalogue(connection: WishConnection) -> str:
    """The id of a new download of all products."""
    return job_id(await connection.queue(Family.PRODUCTS, _CATALOGUE_PATH))


async def catalogue_job(connection: WishConnection, id: str) -> CatalogueJob:
    """Where the download is."""
    state, urls = job_of(await connection.get(Family.PRODUCTS, f"{_CATALOGUE_PATH}/{segment(id)}"))
    return CatalogueJob(state, urls)


async def catalogue(connection: WishConnection, file_urls: Sequence[str]) -> AsyncIterator[CatalogueBatch]:
    """The listings of a download's files, a few hundred at a time."""
    batch, left_out, deleted = list[ChannelListing](), 0, 0
    for url in file_urls:
        async for line in connection.lines(url):
            found = await off_loop(len(line), partial(_listings_in, line))
            batch += found.listings
            left_out += found.left_out
            deleted += found.deleted
            if len(batch) >= _BATCH:
                yield CatalogueBatch(tuple(batch), left_out, deleted)
                batch, left_out, deleted = [], 0, 0
    if batch or left_out or deleted:
        yield CatalogueBatch(tuple(batch), left_out, deleted)


def _listings_in(line: bytes) -> CatalogueBatch:
    """The listings of one product, and how many cannot be read: a strange product, or single variations."""
    product = _product_in(line)
    if product is None:
        _logger.warning("A product of Wish's catalogue cannot be read and is left out.")
        return CatalogueBatch((), left_out=1)
    return listings_of(product)


def _product_in(line: bytes) -> WishProduct | None:
    """The product, or None for one that cannot be read.

    A line whose brackets do not match means a broken file, whose rest would be missing.
    """
    if len(line) > MOST_REPLY_BYTES or line.count(b",") > MOST_COMMAS:
        return None
    text = clean(line)
    try:
        return _PRODUCT.decode(text)
    except (ValueError, RecursionError):
        pass
    try:
        return read_members(WishProduct, text, [])
    except Unfit as unfit:
        if unfit.flaw is Flaw.NOT_JSON and not is_whole(text):
            raise not_understood("not_json", "A line of Wish's catalogue is not JSON.") from None
        return None


async def product_listings(connection: WishConnection, product_id: str) -> CatalogueBatch:
    """The listings of one product as they are now; `NotAtChannel` where it was deleted."""
    product = read_product(await product_text(connection, product_id))
    if is_deleted(product):
        raise NotAtChannel("product_deleted", "The merchant has deleted the product.")
    return listings_of(product)


async def product_text(connection: WishConnection, product_id: str) -> bytes:
    """One product as Wish writes it."""
    reply = await connection.find(Family.PRODUCTS, f"{PRODUCTS_PATH}/{segment(product_id)}")
    return bytes(reply.data)


async def changed_products(connection: WishConnection, since: datetime) -> ChangedProducts:
    """Products changed since a moment, and deleted ones, which Wish lists only where it is asked for them."""
    changed = await _changed(connection, since)
    deleted = await _changed(connection, since, ("state", _DELETED))
    moments = [until for until in (changed.until, deleted.until) if until is not None]
    ids = dict.fromkeys((*changed.product_ids, *deleted.product_ids))
    return ChangedProducts(tuple(ids), max(moments, default=None), changed.complete and deleted.complete)


async def _changed(connection: WishConnection, since: datetime, *which: tuple[str, str]) -> ChangedProducts:
    """Incomplete after 2000 products, or when a page is all of one instant.

    Wish has no way past such a page; the whole catalogue's download has.
    """
    ids: dict[str, None] = {}
    newest = since
    while len(ids) < _MOST_CHANGED:
        asked_at = connection.client.now()
        rows = await _changed_since(connection, since, which)
        ids.update((str(row.id), None) for row in rows if row.id is not None)
        times = [plausible(row.updated_at) for row in rows if row.updated_at is not None]
        # A product that Wish dates ahead must not hide those that change until then.
        newest = max([since, *(time for time in times if time is not None and not is_ahead(time, asked_at))])
        if len(rows) < _LIMIT:
            return ChangedProducts(tuple(ids), newest if ids else None, complete=True)
        if newest <= since:
            break
        since = newest
    return ChangedProducts(tuple(ids), newest, complete=False)


async def _changed_since(connection: WishConnection, since: datetime, which: Query) -> list[_ChangedRow]:
    query = (
        *which,
        ("sort_by", "updated_at.asc"),
        ("updated_at_min", query_time(since)),
        ("limit", str(_LIMIT)),
    )
    reply = await connection.get(Family.PRODUCTS, PRODUCTS_PATH, query)
    return await off_loop(len(bytes(reply.data)), lambda: [_changed_row(row) for row in rows_of(reply.data)])


def _changed_row(row: bytes) -> _ChangedRow:
    """What can be read of a row; the next download of the whole catalogue sees the rest."""
    row = clean(row)
    try:
        return _CHANGED_ROW.decode(row)
    except (ValueError, RecursionError):
        members = loose_members(row)
        return _ChangedRow(loose_value(members, "id", _ID), loose_value(members, "updated_at", _TIME))


def read_product(text: bytes) -> WishProduct:
    """The product; ReplyNotUnderstood when the text is none."""
    return read(text, WishProduct)


def variations_of(product: WishProduct) -> Iterator[WishVariation]:
    """The product's readable variations."""
    left_out = 0
    for text in product.variations or ():
        try:
            yield _variation(text)
        except Unfit:
            left_out += 1
    if left_out:
        _logger.warning("%d variations of Wish product %s cannot be read and are left out.", left_out, product.id)


def _variation(text: Raw) -> WishVariation:
    try:
        return _VARIATION.decode(text)
    except (ValueError, RecursionError):
        return read_members(WishVariation, text, [])


def is_deleted(product: WishProduct) -> bool:
    """Whether the merchant has deleted the product, which Wish goes on showing."""
    return _DELETED in (product.state, product.status)


def listings_of(product: WishProduct) -> CatalogueBatch:
    """A listing for each variation, of a deleted product none, and how many could not be read."""
    if is_deleted(product):
        return CatalogueBatch((), deleted=1)
    listings = tuple(_listings(product))
    return CatalogueBatch(listings, len(product.variations or ()) - len(listings))


def _listings(product: WishProduct) -> Iterator[ChannelListing]:
    """What Wish removed cannot be written to."""
    is_removed = _REMOVED in (product.state, product.status)
    main_image = None if product.main_image is None else product.main_image.url
    for variation in variations_of(product):
        yield ChannelListing(
            product_id=str(product.id),
            variation_id=str(variation.id),
            sku=variation.sku or None,
            title=product.name,
            image_url=variation.image or main_image,
            writable=not is_removed and variation.status != _REMOVED,
            quantities=tuple(quantities_of(variation).items()),
        )


def quantities_of(variation: WishVariation) -> dict[str, int]:
    """Units by warehouse, in Wish's order."""
    inventories = variation.inventories or ()
    return {str(one.warehouse_id): one.inventory for one in inventories if one.inventory is not None}
