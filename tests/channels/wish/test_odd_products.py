"""Products, jobs and results that are strange: the rest of the catalogue, or of the job, is none the worse."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx
from tests.channels.factories import BASE, NOW, a_product, a_variation, at_the_counter, ok

from channel_sync.domain.channel import StockJob
from channel_sync.domain.errors import ReplyNotUnderstood
from channel_sync.domain.job_state import JobState
from channel_sync.domain.listings import ChannelListing

PRODUCTS = f"{BASE}/api/v3/products"
FILE = "https://storage.test/products"
SINCE = datetime(2026, 11, 20, 9, tzinfo=UTC)
DEEP = b"[" * 5000 + b"]" * 5000


def line(product: dict) -> bytes:
    return json.dumps(product).encode()


async def catalogue_of(content: bytes) -> tuple[list[ChannelListing], int]:
    with respx.mock as router:
        router.get(FILE).respond(content=content)
        async with at_the_counter() as counter:
            batches = [batch async for batch in counter.shop.catalogue([FILE])]
    return [one for batch in batches for one in batch.listings], sum(batch.left_out for batch in batches)


@pytest.mark.parametrize("separator", [b"\n", b","], ids=["lines", "array"])
@pytest.mark.parametrize(
    "odd",
    [
        b'{"id":"p2","x":' + DEEP + b"}",
        rb'{"id":"p2","x":"\q"}',
        b'{"id":"p2","x":"' + b"x" * 2_000_000 + b'"}',
        b'{"id":"' + b"x" * 3000 + b'"}',
        b'{"id":"p2","variations":{}}',
        b'{"id":"p2","variations":[' + b"0," * 200_000 + b"0]}",
        b'{"id":"p2","state":["ACTIVE"]}',
        b"null",
    ],
    ids=["deep", "escape", "large", "id", "variations", "zeros", "state", "null"],
)
async def test_a_product_that_nobody_can_read_is_left_out_and_counted(odd: bytes, separator: bytes):
    content = separator.join((line(a_product("p1")), odd, line(a_product("p3"))))
    listings, left_out = await catalogue_of(content if separator == b"\n" else b"[" + content + b"]")
    assert [listing.product_id for listing in listings] == ["p1", "p3"]
    assert left_out == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "x" * 101},
        {"sku": "x" * 256},
        {"sku": ["SKU"]},
        {"status": {}},
        {"inventories": {}},
        {"inventories": [{"warehouse_id": "w1", "inventory": {}}]},
        {"inventories": [{"warehouse_id": [], "inventory": 5}]},
        {"inventories": [{"warehouse_id": "w1", "inventory": 10**12}]},
        {"inventories": [5]},
    ],
)
async def test_a_variation_whose_id_sku_or_stock_cannot_be_read_is_left_out(changes):
    product = a_product("p1", a_variation("v1"), a_variation("v2") | changes, a_variation("v3"))
    listings, left_out = await catalogue_of(line(product))
    assert [listing.variation_id for listing in listings] == ["v1", "v3"]
    assert left_out == 1


async def test_what_does_not_decide_hides_no_listing():
    inventories = [{"warehouse_id": "w1", "inventory": "5"}]
    odd = a_variation("v1", inventories=inventories, sku=412, image=["?"], request_id={}, options=7)
    product = a_product("p1", odd, name={"en": "Mug"}, main_image="https://i/1")
    listings, left_out = await catalogue_of(line(product))
    assert listings == [ChannelListing("p1", "v1", "412", None, None, True, (("w1", 5),))]
    assert left_out == 0


async def test_a_title_is_cut_and_an_address_of_an_image_is_dropped_where_it_is_too_long():
    product = a_product("p1", name="x" * 30_000, main_image={"url": "https://i/" + "x" * 3000})
    [listing], _ = await catalogue_of(line(product))
    assert (len(listing.title or ""), listing.image_url) == (10_000, None)


def changed_row(number: int, at: datetime) -> dict:
    return {"id": f"p{number}", "updated_at": at.isoformat()}


async def changed(*rows: object):
    with respx.mock as router:
        router.get(PRODUCTS).respond(content=json.dumps({"code": 0, "data": rows}))
        async with at_the_counter() as counter:
            return await counter.shop.changed_products(SINCE)


@pytest.mark.parametrize("ahead", [NOW + timedelta(hours=2), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)])
async def test_a_product_dated_ahead_hides_none_that_changes_until_then(ahead):
    seen = SINCE + timedelta(minutes=5)
    result = await changed(changed_row(1, seen), changed_row(2, ahead))
    assert (result.product_ids, result.until, result.complete) == (("p1", "p2"), seen, True)


async def test_a_changed_row_that_cannot_be_read_hides_no_other():
    odd = [{"id": ["?"]}, {"id": "p2", "updated_at": "soon"}, 5, {"id": "p3", "x": "\ud800"}]
    result = await changed(*odd, changed_row(4, SINCE + timedelta(minutes=5)))
    assert result.product_ids == ("p2", "p3", "p4")
    assert result.complete


@pytest.mark.parametrize("urls", [{}, 5, "https://f", [5], [None], [["https://f"]], ["https://f"] * 1001])
async def test_a_finished_job_whose_files_cannot_be_read_is_not_taken_for_one_without_files(urls):
    with respx.mock as router:
        job = {"id": "j", "status": "READY", "file_urls": urls}
        router.get(f"{PRODUCTS}/bulk_get/j").mock(return_value=ok(job))
        async with at_the_counter() as counter:
            with pytest.raises(ReplyNotUnderstood):
                await counter.shop.catalogue_job("j")


async def test_the_files_of_a_job_that_goes_on_may_be_anything():
    with respx.mock as router:
        job = {"id": "j", "status": "PENDING", "file_urls": {}}
        router.get(f"{PRODUCTS}/bulk_get/j").mock(return_value=ok(job))
        async with at_the_counter() as counter:
            assert (await counter.shop.catalogue_job("j")).state is JobState.PENDING


async def stock_job(*lines: bytes) -> StockJob:
    with respx.mock as router:
        job = {"id": "j", "status": "READY", "file_urls": [FILE]}
        router.get(f"{PRODUCTS}/bulk_update/j").mock(return_value=ok(job))
        router.get(FILE).mock(return_value=httpx.Response(200, content=b"\n".join(lines)))
        async with at_the_counter() as counter:
            return await counter.shop.stock_job("j")


@pytest.mark.parametrize(
    "words",
    [
        *(DEEP, b"[" * 900 + b'"no"' + b"]" * 900, b"9" * 6000, b'"' + b"x" * 500_000 + b'"'),
        *(rb'"\ud800"', b"{}", b"1e999"),
    ],
    ids=["deep", "nested", "digits", "long", "half", "empty", "number"],
)
async def test_a_refusal_in_strange_words_is_a_refusal(words: bytes):
    refused = b'{"product_id":"p1","code":7,"message":%b}' % words
    job = await stock_job(refused, b'{"product_id":"p2","code":0}')
    if job.state is JobState.READY:
        assert list(job.refused) == ["p1"]
        code, reason = job.refused["p1"]
        assert code == "7"
        assert len(reason) <= 300
    else:
        assert words is DEEP


@pytest.mark.parametrize("code", [b"[]", b"{}", b"9" * 6000, b"1.5"])
async def test_a_result_whose_code_cannot_be_read_is_not_taken_for_success(code: bytes):
    assert (await stock_job(b'{"product_id":"p1","code":%b}' % code)).state is JobState.FAILED
