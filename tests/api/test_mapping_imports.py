"""Mappings as CSV on their way in: what a person filled in, a result for each row."""

import csv
import io
from typing import Any

import httpx
import pytest
from tests.api.seeds import account_of, store_listings, store_orders
from tests.factories import NOW, a_channel_listing, a_channel_order, an_order_line, order_content

pytestmark = pytest.mark.every_store


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def sent(caller: Any, text: str | bytes, kind: str = "text/csv") -> httpx.Response:
    answer: httpx.Response = await caller.put("/mappings", content=text, headers={"Content-Type": kind})
    return answer


async def imported(caller: Any, *rows: str) -> list[tuple[int, str, str | None]]:
    """The number, the result and the code of each row."""
    answer = await sent(caller, "\r\n".join(["listing_id,mapped_sku", *rows]))
    assert answer.status_code == 200, answer.text
    return [(one["row"], one["result"], one["code"]) for one in answer.json()["items"]]


async def mapped_skus(caller: Any, *listing_ids: str) -> list[str | None]:
    return [(await caller.get(f"/listings/{one}")).json()["mapped_sku"] for one in listing_ids]


async def test_each_row_has_its_result_and_an_invalid_one_stops_no_other(world, admin, integration_id):
    listings = [a_channel_listing(sku=f"S{number}") for number in range(6)]
    ids = sorted(await store_listings(world, integration_id, *listings))
    await admin.put(f"/listings/{ids[1]}/mapping", json={"sku": "SAME"})
    await admin.put(f"/listings/{ids[2]}/mapping", json={"sku": "OLD"})
    rows = [f"{ids[0]},NEW", f"{ids[1]},SAME", f"{ids[2]},", "lst_nothing,NEW", f"{ids[0]},OTHER"]

    results = await imported(admin, *rows, f"{ids[3]},  ", "", f"{ids[4]},{'A' * 256}", ids[5])

    assert results == [
        (2, "mapped", None),
        (3, "unchanged", None),
        (4, "mapped", None),
        (5, "invalid", "listing_unknown"),
        (6, "invalid", "listing_repeated"),
        (7, "invalid", "sku_unusable"),
        (9, "invalid", "sku_unusable"),
        (10, "invalid", "sku_unusable"),
    ]
    assert await mapped_skus(admin, *ids) == ["NEW", "SAME", None, None, None, None]


async def test_an_imported_mapping_means_what_one_by_hand_does(world, admin, integration_id):
    (listing_id,) = await store_listings(world, integration_id, a_channel_listing(variation_id="v7", sku=None))
    sold = order_content(lines=(an_order_line(channel_listing_id="v7"),))
    (order_id,) = await store_orders(world, integration_id, a_channel_order(content=sold))
    await admin.put("/stock", json={"items": [{"sku": "OURS", "available": 3}]})

    await imported(admin, f"{listing_id},OURS")

    assert (await admin.get(f"/orders/{order_id}")).json()["lines"][0]["mapped_sku"] == "OURS"
    assert (await admin.get("/stock/OURS")).json()["listings"][0]["state"] == "pending"
    assert (await admin.get(f"/integrations/{integration_id}")).json()["freshness"]["stock_pending"] == 1


@pytest.mark.parametrize("sku", ["=1+1", "-A", "'=A", "a;b", 'a "b", c', "ä€\n"])
async def test_what_was_exported_can_be_sent_back_and_changes_nothing(world, admin, integration_id, sku):
    listings = [a_channel_listing(sku=sku) for _ in range(2)]
    ids = await store_listings(world, integration_id, *listings)
    await admin.put(f"/listings/{ids[0]}/mapping", json={"sku": sku})
    exported = (await admin.get("/mappings/export")).content

    answer = await sent(admin, exported, "text/csv; charset=utf-8; header=present")

    assert [one["result"] for one in answer.json()["items"]] == ["unchanged", "unchanged"]
    assert await mapped_skus(admin, *ids) == [sku, None]


async def test_what_a_spreadsheet_writes_is_read(world, admin, integration_id):
    (listing_id,) = await store_listings(world, integration_id, a_channel_listing())
    text = f"title;mapped_sku;listing_id\r\n;'=A;{listing_id}\r\n;;\r\n"

    answer = await sent(admin, text.encode("utf-8-sig"))

    assert [one["result"] for one in answer.json()["items"]] == ["mapped"]
    assert await mapped_skus(admin, listing_id) == ["=A"]


async def test_many_rows_are_stored_some_at_a_time_and_repeating_them_changes_nothing(
    world, admin, integration_id
):
    account = await account_of(world, integration_id)
    async with world.database.begin() as work:
        await work.listings.replace(account.id, [a_channel_listing(sku=None) for _ in range(250)], NOW)
        ids = [listing_id for listing_id, _ in await work.listings.there(account, "", 999)]
    rows = [f"{listing_id},SKU-{number}" for number, listing_id in enumerate(ids)]

    first, again = await imported(admin, *rows), await imported(admin, *rows)

    assert {result for _, result, _ in first} == {"mapped"}
    assert {result for _, result, _ in again} == {"unchanged"}
    exported = csv.DictReader(io.StringIO((await admin.get("/mappings/export")).text, newline=""))
    assert [row["mapped_sku"] for row in exported] == [f"SKU-{number}" for number in range(250)]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "missing_column"),
        (b"listing_id\r\n", 422, "missing_column"),
        (b"listing_id,mapped_sku,mapped_sku\r\n", 422, "missing_column"),
        (b"listing_id,mapped_sku\r\n@,\xff\r\n", 400, "malformed_csv"),
        (b'listing_id,mapped_sku\r\n@,"A"B\r\n', 400, "malformed_csv"),
        (b'listing_id,mapped_sku\r\n@,A\r\n@,"B', 400, "malformed_csv"),
        (b"listing_id,mapped_sku\r\n@,A\0B\r\n", 400, "malformed_csv"),
        (b"listing_id,mapped_sku\r\n@,A\r\n" + b"x,y\r\n" * 5000, 422, "too_many_rows"),
        (b"listing_id,mapped_sku\r\n@," + b"A" * 2**20, 413, "body_too_large"),
    ],
)
async def test_nothing_is_stored_of_a_body_that_cannot_be_used(world, admin, integration_id, body, status, code):
    (listing_id,) = await store_listings(world, integration_id, a_channel_listing())

    refused = await sent(admin, body.replace(b"@", listing_id.encode()))

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert await mapped_skus(admin, listing_id) == [None]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
async def test_only_csv_is_taken(admin, kind):
    refused = await sent(admin, "listing_id,mapped_sku\r\n", kind)

    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")


async def test_a_listing_of_another_tenant_is_unknown(world, admin, integration_id):
    (theirs,) = await store_listings(world, integration_id, a_channel_listing())
    async with world.caller(tenant="rival") as rival:
        assert await imported(rival, f"{theirs},MINE") == [(2, "invalid", "listing_unknown")]
    async with world.caller("stock:read") as reader:
        assert (await sent(reader, f"listing_id,mapped_sku\r\n{theirs},MINE")).status_code == 403
    assert await mapped_skus(admin, theirs) == [None]
