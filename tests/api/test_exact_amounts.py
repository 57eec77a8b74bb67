"""Amounts go to the last digit from the marketplace's reply to whoever reads them."""

import csv
import io
import json
from decimal import Decimal

import pytest
from tests.api.seeds import store_orders
from tests.channels.factories import an_order, money

from channel_sync.channels.wish.orders import read_order
from channel_sync.domain.orders import ChannelOrder

pytestmark = pytest.mark.every_store

AMOUNTS = [
    ("0.1", "USD"),
    ("0.2", "USD"),
    ("1e2", "JPY"),
    ("-0.01", "USD"),
    ("1234.567", "KWD"),
    ("9007199254740993", "JPY"),
    ("12345678901234567890", "JPY"),
]


def priced(number: int, amount: str, currency: str) -> ChannelOrder:
    """An order as Wish writes it, whose price and total are this piece of JSON."""
    price = {"product_quantity": 1, "payment_total": money(4242, currency), "product_price": money(4242, currency)}
    document = an_order(number, order_payment={"general_payment_details": price})
    order = read_order(json.dumps(document).replace("4242", amount).encode(), None)
    assert isinstance(order, ChannelOrder)
    return order


async def test_amounts_reach_the_api_and_the_export_exactly_and_add_up(world, admin):
    integration_id = str((await world.connect(admin))["id"])
    await store_orders(world, integration_id, *(priced(n, *one) for n, one in enumerate(AMOUNTS, start=1)))

    shown = (await admin.get("/orders")).json()["items"]
    rows = csv.DictReader(io.StringIO((await admin.get("/orders/export")).text, newline=""))

    exact = [(Decimal(amount), currency) for amount, currency in AMOUNTS]
    revenues = [order["totals"]["merchant_revenue"] for order in shown]
    prices = [order["lines"][0]["unit_price"] for order in shown]
    for told in (revenues, prices):
        assert [(Decimal(one["amount"]), one["currency"]) for one in told] == exact
        assert not any("e" in one["amount"].lower() for one in told)
    assert [(Decimal(row["merchant_revenue"].lstrip("'")), row["currency"]) for row in rows] == exact
    dollars = sum(Decimal(one["amount"]) for one in revenues if one["currency"] == "USD")
    assert dollars == Decimal("0.29")
