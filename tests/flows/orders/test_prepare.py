import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.factories import NOW, a_channel_order, an_unreadable_order, later
from tests.stores import COMPRESSION

from channel_sync.domain.orders import OrderPage, OrderQuery, UnreadableOrder
from channel_sync.flows.orders.prepare import PageContext, not_storable, order_event, ready
from channel_sync.persistence.rows.prepared_orders import PersonalParts, raw_of
from channel_sync.persistence.rows.timestamps import micros

CONTEXT = PageContext("wish", "acme", "acc_1", "int_1", "GBP", NOW)
NEXT = OrderQuery(later(60))
# Half of a surrogate pair, which no text can hold.
UNWRITABLE = a_channel_order(channel_order_id="o2", state_raw="\ud800", raw=b"{}")


@pytest.fixture
def parts(cipher):
    return PersonalParts(cipher, COMPRESSION)


def a_page(*orders, **members):
    defaults: dict[str, Any] = {"orders": orders, "unreadable": (), "next": NEXT, "full": True, "in_order": False}
    return OrderPage(**(defaults | members))


def test_a_page_is_made_ready_with_all_that_was_said_of_it(parts):
    unreadable = an_unreadable_order()

    page = ready(a_page(a_channel_order(channel_order_id="o1"), unreadable=(unreadable,)), CONTEXT, parts)

    [row] = page.rows
    assert (row.channel_order_id, row.account_id, row.tenant, row.stored_at) == (
        "o1",
        "acc_1",
        "acme",
        micros(NOW),
    )
    assert page.unreadable == (unreadable,)
    assert (page.next, page.full, page.in_order, len(page)) == (NEXT, True, False, 2)


def test_an_order_without_a_currency_has_the_shops_own(parts):
    [row] = ready(a_page(a_channel_order(currency=None)), CONTEXT, parts).rows

    assert (row.currency, row.currency_defaulted) == ("GBP", True)


def test_each_row_has_its_event_for_the_case_that_it_is_new(parts):
    page = ready(a_page(*(a_channel_order() for _ in range(3))), CONTEXT, parts)

    assert page.created == {row.id: order_event(row, "order.created", "int_1") for row in page.rows}
    assert len(page.created) == 3


def test_an_order_that_cannot_be_written_down_is_held_and_costs_no_other(parts):
    unreadable = an_unreadable_order()
    orders = [a_channel_order(channel_order_id="o1"), UNWRITABLE, a_channel_order(channel_order_id="o3")]

    page = ready(a_page(*orders, unreadable=(unreadable,)), CONTEXT, parts)

    assert [row.channel_order_id for row in page.rows] == ["o1", "o3"]
    assert page.unreadable == (unreadable, not_storable("o2", UNWRITABLE.updated_at, b"{}"))
    assert set(page.created) == {row.id for row in page.rows}


def test_a_held_order_keeps_its_reply_and_names_its_flaw_but_no_place(parts):
    assert not_storable("o2", NOW, b"{}") == UnreadableOrder("o2", "not_storable", "", NOW, None, b"{}")


def test_what_is_personal_is_sealed_for_the_row(parts):
    [row] = ready(a_page(a_channel_order(raw=b'{"id": "o1"}')), CONTEXT, parts).rows

    assert raw_of(row, parts) == b'{"id": "o1"}'
    assert b"Ada" not in (row.personal or b"")


def test_an_event_tells_the_version_of_the_order_and_when_it_was_stored(parts):
    [row] = ready(a_page(a_channel_order(channel_order_id="o1")), CONTEXT, parts).rows

    event = order_event(row, "order.created", "int_1")

    assert (event.type, event.integration_id, event.created_at) == ("order.created", "int_1", micros(NOW))
    assert json.loads(event.members) == {
        "order_id": row.id,
        "channel_order_id": "o1",
        "state": "approved",
        "version": 1,
    }


def test_the_same_version_has_the_same_id_however_often_it_is_told_and_any_other_another(parts):
    [row] = ready(a_page(a_channel_order(channel_order_id="o1")), CONTEXT, parts).rows
    told = order_event(row, "order.created", "int_1").id

    assert order_event(row._replace(id="ord_other", stored_at=0), "order.created", "int_2").id == told
    others = [
        order_event(row, "order.updated", "int_1"),
        order_event(row._replace(version=2), "order.created", "int_1"),
        order_event(row._replace(account_id="acc_2"), "order.created", "int_1"),
        order_event(row._replace(channel_order_id="o2"), "order.created", "int_1"),
    ]
    assert len({told, *(other.id for other in others)}) == 5


def test_events_sort_by_when_their_orders_changed(parts):
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
    orders = [a_channel_order(updated_at=at) for at in (late, early)]
    rows = ready(a_page(*orders), CONTEXT, parts).rows

    ids = [order_event(row, "order.created", "int_1").id for row in rows]

    assert sorted(ids) == [ids[1], ids[0]]
