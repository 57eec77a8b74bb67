"""Partial answers."""

from typing import Any

import pytest
from tests.simulator.simulated import Simulated

from wish_simulator.fields import parsed_selection, select
from wish_simulator.refusals import Refusal

DOCUMENT = {"a": 1, "b": {"c": 2, "d": {"e": 3, "f": 4}}, "list": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}


@pytest.mark.parametrize(
    ("fields", "selected"),
    [
        ("a", {"a": 1}),
        ("a,b/c", {"a": 1, "b": {"c": 2}}),
        ("b(c,d/e)", {"b": {"c": 2, "d": {"e": 3}}}),
        ("b/d(e,f),a", {"a": 1, "b": {"d": {"e": 3, "f": 4}}}),
        ("b/*/f", {"b": {"c": 2, "d": {"f": 4}}}),
        ("list/x", {"list": [{"x": 1}, {"x": 3}]}),
        ("*", DOCUMENT),
        ("nothing", {}),
        ("a, b/c", {"a": 1, "b": {"c": 2}}),
    ],
)
def test_selections(fields: str, selected: Any) -> None:
    assert select(DOCUMENT, parsed_selection(fields)) == selected


@pytest.mark.parametrize("fields", ["", ",", "a,", "a(", "a(b", "a)", "a//b", "(a)", "a(b))"])
def test_a_selection_that_cannot_be_read_is_refused(fields: str) -> None:
    with pytest.raises(Refusal):
        parsed_selection(fields)


async def test_lists_of_orders_are_cut_to_the_fields(wish: Simulated) -> None:
    wish.place(2)
    rows = await wish.read("/orders", fields="id,order_payment/general_payment_details/payment_total/amount")
    assert [row.keys() for row in rows] == [{"id", "order_payment"}] * 2


async def test_single_reads_are_cut_to_the_fields(wish: Simulated) -> None:
    (row,) = wish.place()
    assert await wish.read(f"/orders/{row.id}", fields="id,state") == {"id": row.id, "state": "APPROVED"}
    product = next(iter(wish.shop.catalogue)).document
    partial = await wish.read(f"/products/{product['id']}", fields="variations(sku)")
    assert partial == {"variations": [{"sku": "MUG-RED"}, {"sku": "MUG-BLUE"}]}


async def test_unreadable_fields_are_an_invalid_parameter(wish: Simulated) -> None:
    assert (await wish.get("/orders", fields="a(")).json()["code"] == 90001


async def test_fields_mean_nothing_to_writes(wish: Simulated) -> None:
    product = next(iter(wish.shop.catalogue)).document
    answer = await wish.put(f"/products/{product['id']}", {"name": "Cup"}, fields="id")
    assert answer.json()["data"]["name"] == "Cup"
