"""Orders exported: what stands in the rows, who may have them, and what an export may cost."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.api.seeds import store_orders
from tests.factories import a_channel_order, an_address, an_order_line, order_content

from channel_sync.api.http.places import PlaceLimits
from channel_sync.domain.keys import Caller
from channel_sync.domain.orders import OrderState
from channel_sync.flows.orders.export import exported_orders
from channel_sync.persistence.orders import OrderFeedQuery

pytestmark = pytest.mark.every_store


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def exported(caller: Any, **query: str) -> list[dict[str, Any]]:
    """The rows of a CSV export."""
    answer = await caller.get("/orders/export", params=query)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_a_csv_has_a_row_for_each_line_with_what_the_feed_shows(world, admin, integration_id):
    lines = (an_order_line(sku="A", quantity=2), an_order_line(sku="B"))
    await store_orders(world, integration_id, a_channel_order(content=order_content(lines=lines)))
    shown = (await admin.get("/orders")).json()["items"][0]

    first, second = await exported(admin)

    assert (first["sku"], first["quantity"], second["sku"]) == ("A", "2", "B")
    for row in (first, second):
        assert [row[name] for name in ("id", "state", "stored_at", "channel_updated_at", "version")] == [
            *(shown["id"], shown["state"], shown["stored_at"], shown["channel_updated_at"], "1")
        ]
        assert (row["customer_paid"], row["customer_paid_currency"], row["erased"]) == ("10.00", "GBP", "false")
        assert (row["name"], row["postcode"], row["carrier"]) == ("Ada Example", "BS1 1AA", "Royal Mail")
        assert (row["ship_by"], row["acknowledged_at"]) == (shown["ship_by"] or "", "")


async def test_json_lines_have_the_types_of_json(world, admin, integration_id):
    await store_orders(world, integration_id, a_channel_order(), a_channel_order())

    answer = await admin.get("/orders/export", params={"format": "jsonl", "columns": "id,quantity,erased,options"})

    assert answer.headers["content-type"] == "application/jsonl"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert len(rows) == 2
    assert [list(row) for row in rows] == [["id", "quantity", "erased", "options"]] * 2
    assert (type(rows[0]["quantity"]), rows[0]["erased"], type(rows[0]["options"])) == (int, False, dict)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
async def test_a_formula_is_neutralised_and_our_own_values_are_not(world, admin, integration_id, start):
    evil = f'{start}HYPERLINK("https://example.com";"a\nb")'
    line = an_order_line(sku=evil, title=evil, options={start: "x"})
    address = an_address(name=evil, phone=evil)
    await store_orders(
        world, integration_id, a_channel_order(content=order_content(lines=(line,)), address=address)
    )

    [row] = await exported(admin)

    assert {row["sku"], row["title"], row["name"], row["phone"]} == {f"'{evil}"}
    assert row["options"] == f"'{start}: x"
    assert row["unit_price"][0].isdigit()
    plain = await admin.get("/orders/export", params={"format": "jsonl", "columns": "sku"})
    assert json.loads(plain.text) == {"sku": evil}


async def test_the_buyer_is_exported_only_with_its_own_scope_and_not_once_erased(world, admin, integration_id):
    ids = await store_orders(world, integration_id, a_channel_order(), a_channel_order())
    await admin.post("/orders/erase", json={"ids": [ids[0]]})
    async with world.caller("orders:read") as plain:
        assert "name" not in (await exported(plain))[0]
        refused = await plain.get("/orders/export", params={"columns": "id,name"})

    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert [row["name"] for row in await exported(admin, columns="name")] == ["", "Ada Example"]


@pytest.mark.parametrize("columns", ["id,no_such", "", "id,id", "id,,state"])
async def test_a_column_that_is_none_is_422(admin, columns):
    refused = await admin.get("/orders/export", params={"columns": columns})

    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_column")


async def test_an_export_is_narrowed_like_the_feed(world, admin, integration_id):
    shipped = a_channel_order(channel_order_id="B", state=OrderState.SHIPPED)
    await store_orders(world, integration_id, a_channel_order(channel_order_id="A"), shipped)
    async with world.caller(tenant="rival") as rival:
        assert await exported(rival) == []

    found = [row["channel_order_id"] for row in await exported(admin, state="shipped")]
    to_ship = await exported(admin, state="approved", fulfilment="merchant", columns="channel_order_id")

    assert found == ["B"]
    assert to_ship == [{"channel_order_id": "A"}]
    for odd in ({"limit": "5"}, {"fulfilment": "merchant"}):
        assert (await admin.get("/orders/export", params=odd)).status_code == 422


async def test_many_orders_come_page_by_page_each_of_them_once(world, admin, integration_id):
    orders = [a_channel_order(channel_order_id=f"o{number}") for number in range(450)]
    await store_orders(world, integration_id, *orders)

    found = [row["channel_order_id"] for row in await exported(admin, columns="channel_order_id")]

    assert found == [order.channel_order_id for order in orders]


async def test_an_order_that_changes_meanwhile_comes_again_for_nothing_is_held_open(world, integration_id):
    orders = [a_channel_order(channel_order_id=f"o{number}") for number in range(250)]
    await store_orders(world, integration_id, *orders)
    pages = exported_orders(world.database, "acme", OrderFeedQuery(), personal=False)

    first = await anext(pages)
    await store_orders(world, integration_id, replace(orders[0], updated_at=orders[0].updated_at + timedelta(1)))
    rest = [order async for page in pages for order in page]

    assert [order.version for order in (*first, *rest) if order.channel_order_id == "o0"] == [1, 2]
    assert len(first) + len(rest) == 251


async def test_only_so_many_run_at_once_and_each_gives_its_place_back(world, admin, integration_id):
    world.set(exports=PlaceLimits(per_key=1, per_tenant=2, in_all=2))
    key_id = (await admin.get("/api-keys")).json()["items"][0]["id"]
    world._app = None
    async with world.caller() as caller:
        assert [(await caller.get("/orders/export")).status_code for _ in range(3)] == [200] * 3
        mine = Caller("acme", key_id, frozenset())
        other, places = Caller("acme", "key_2", frozenset()), world.app.state.exports
        with places.place(mine), places.place(other):
            refused = await caller.get("/orders/export")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_exports")
        assert refused.headers["retry-after"] == "5"
        assert (await caller.get("/orders/export")).status_code == 200


async def test_the_head_alone_reads_no_orders(world, admin, integration_id):
    await store_orders(world, integration_id, a_channel_order())

    head = await admin.head("/orders/export")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-disposition"] == 'attachment; filename="orders.csv"'


async def test_a_process_that_stops_cuts_its_exports_off_so_that_it_can_be_seen(world, admin, integration_id):
    await store_orders(world, integration_id, a_channel_order())
    world.health.draining = True
    sent: list[Any] = []
    key = await world.key()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/orders/export",
        "raw_path": b"/orders/export",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"authorization", f"Bearer {key}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 8000),
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await world.app(scope, receive, send)

    assert sent[0]["status"] == 200
    assert all(message["more_body"] for message in sent[1:])
