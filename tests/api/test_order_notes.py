"""What an order shows of members that could not be read; and nothing that is stored is in the way of the list."""

from datetime import timedelta

import pytest
from tests.api.seeds import store_orders
from tests.factories import a_channel_order, order_content

from channel_sync.domain.clock import utcnow
from channel_sync.domain.orders import Flaw, Note


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def test_an_order_says_what_was_left_out_and_where(world, admin, integration_id):
    notes = (Note(Flaw.WRONG_TYPE, "/full_address"), Note(Flaw.TOO_LONG, "/product_information/name"))
    noted_order = a_channel_order(content=order_content(notes=notes))
    await store_orders(world, integration_id, noted_order, a_channel_order())
    noted, plain = (await admin.get("/orders")).json()["items"]
    assert noted["notes"] == [
        {"code": "wrong_type", "pointer": "/full_address"},
        {"code": "too_long", "pointer": "/product_information/name"},
    ]
    assert plain["notes"] == []


async def test_an_order_dated_ahead_is_marked(world, admin, integration_id):
    ahead = utcnow() + timedelta(days=400)
    (order_id,) = await store_orders(world, integration_id, a_channel_order(updated_at=ahead))
    shown = (await admin.get(f"/orders/{order_id}")).json()
    assert shown["notes"] == [{"code": "updated_in_future", "pointer": "/updated_at"}]


@pytest.mark.parametrize(
    "tax",
    [
        b'{"a":' + b"[" * 600 + b"]" * 600 + b"}",
        b'{"a":' * 950 + b"1" + b"}" * 950,
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":1e100000000,"b":{"amount":1e100000000,"currency_code":"EUR"}}',
        b'{"a":1e400}',
        b"{",
    ],
    ids=["nested", "deep", "digits", "exponent", "infinite", "broken"],
)
async def test_no_tax_information_that_was_ever_stored_is_in_the_way_of_reading(world, admin, integration_id, tax):
    (order_id,) = await store_orders(world, integration_id, a_channel_order(tax=tax))
    listed, one = await admin.get("/orders"), await admin.get(f"/orders/{order_id}")
    assert (listed.status_code, one.status_code) == (200, 200)
    assert listed.json()["items"][0]["tax"] == one.json()["tax"]
    assert len(listed.content) < 20_000
