"""Mappings as CSV."""

import csv
import io
from typing import Any

import pytest
from tests.api.seeds import account_of, store_listings
from tests.factories import NOW, a_channel_listing

pytestmark = pytest.mark.every_store


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def exported(caller: Any, **query: str) -> list[dict[str, Any]]:
    """The rows of an export."""
    answer = await caller.get("/mappings/export", params=query)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_an_export_has_a_row_for_each_listing_of_every_integration(world, admin, integration_id):
    second = (await world.connect(admin, "m2", client_id="client-2", name="Second"))["id"]
    (mine,) = await store_listings(world, integration_id, a_channel_listing(sku="MUG", title='A, "mug"\n'))
    (other,) = await store_listings(world, second, a_channel_listing(sku=None, writable=False))
    await admin.put(f"/listings/{mine}/mapping", json={"sku": "OURS"})
    async with world.caller(tenant="rival") as rival:
        assert await exported(rival) == []
        assert await exported(rival, integration_id=integration_id) == []

    rows = await exported(admin)

    shown = {row["listing_id"]: (row["integration_id"], row["mapping"], row["writable"]) for row in rows}
    assert shown == {mine: (integration_id, "mapped", "true"), other: (second, "unmapped", "false")}
    by_hand = next(row for row in rows if row["listing_id"] == mine)
    assert [by_hand[name] for name in ("sku", "mapped_sku", "title")] == ["MUG", "OURS", 'A, "mug"\n']
    assert [row["listing_id"] for row in await exported(admin, integration_id=second)] == [other]


async def test_an_export_is_narrowed_to_what_nothing_feeds(world, admin, integration_id):
    listings = [a_channel_listing(sku=sku) for sku in ("A", "TWIN", "TWIN", None, "LEFT")]
    await store_listings(world, integration_id, *listings)
    account = await account_of(world, integration_id)
    async with world.database.begin() as work:
        there = {place: id for id, place in await work.listings.there(account, "", 9)}
        await work.listings.mark_gone(account, [there[listings[4].variation_id]], NOW)

    found = {name: await exported(admin, mapping=name) for name in ("mapped", "ambiguous", "unmapped", "gone")}

    assert {name: [row["sku"] for row in rows] for name, rows in found.items()} == {
        "mapped": ["A"],
        "ambiguous": ["TWIN", "TWIN"],
        "unmapped": [""],
        "gone": ["LEFT"],
    }


@pytest.mark.parametrize("sku", ["=1+1", "+A", "-A", "@A", "'=A", "''-A"])
async def test_text_that_a_spreadsheet_would_take_for_a_formula_is_made_harmless(
    world, admin, integration_id, sku
):
    await store_listings(world, integration_id, a_channel_listing(sku=sku, title=sku))

    [row] = await exported(admin)

    assert (row["sku"], row["title"]) == (f"'{sku}", f"'{sku}")


async def test_many_listings_come_page_by_page_each_of_them_once(world, admin, integration_id):
    listings = [a_channel_listing(sku=f"S{number}") for number in range(450)]
    async with world.database.begin() as work:
        await work.listings.replace((await account_of(world, integration_id)).id, listings, NOW)

    found = [row["sku"] for row in await exported(admin)]

    assert len(found) == 450
    assert set(found) == {f"S{number}" for number in range(450)}


async def test_an_export_needs_the_scope_and_takes_no_other_parameter(world, admin, integration_id):
    async with world.caller("orders:read") as plain:
        assert (await plain.get("/mappings/export")).status_code == 403
    assert (await admin.get("/mappings/export", params={"limit": "5"})).status_code == 422
    assert (await admin.get("/mappings/export", params={"mapping": "none"})).status_code == 422


async def test_the_head_alone_reads_nothing(world, admin, integration_id):
    await store_listings(world, integration_id, a_channel_listing())

    head = await admin.head("/mappings/export")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-disposition"] == 'attachment; filename="mappings.csv"'
