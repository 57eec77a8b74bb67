import json

import httpx
import pytest
import respx
from tests.channels.factories import BASE, an_order, at_the_counter, ok, refused

from channel_sync.domain.errors import ChannelRefused, NoAnswer, ReplyNotUnderstood
from channel_sync.domain.order_changes import Parcel
from channel_sync.domain.order_progress import ChangeKind, OrderProgress, Progress

TRACKING = f"{BASE}/api/v3/orders/o1/tracking"
REFUND = f"{BASE}/api/v3/orders/o1/refund"
PARCEL = Parcel("Royal Mail", "RM001GB", "GB")


def changing(what="UPDATE_TRACKING", status="IN_PROGRESS"):
    return an_order(1, id="o1", processing_source=what, processing_status=status)


async def test_a_parcel_is_told_in_the_words_of_wish():
    with respx.mock as router:
        route = router.put(TRACKING).mock(return_value=ok(changing()))
        async with at_the_counter() as counter:
            page = await counter.shop.dispatch("o1", PARCEL)

    assert json.loads(route.calls.last.request.content) == {
        "shipping_provider": "Royal Mail",
        "tracking_number": "RM001GB",
        "origin_country": "GB",
    }
    assert [order.progress for order in page.orders] == [OrderProgress(ChangeKind.DISPATCH, Progress.RUNNING)]


async def test_a_refund_names_its_reason():
    with respx.mock as router:
        route = router.put(REFUND).mock(return_value=ok(changing("REFUND")))
        async with at_the_counter() as counter:
            page = await counter.shop.refund("o1", "UNABLE_TO_SHIP")

    assert json.loads(route.calls.last.request.content) == {"refund_reason": "UNABLE_TO_SHIP"}
    assert [order.progress for order in page.orders] == [OrderProgress(ChangeKind.REFUND, Progress.RUNNING)]


@pytest.mark.parametrize(
    ("source", "status", "progress"),
    [
        ("UPDATE_TRACKING", "SUCCEEDED", OrderProgress(ChangeKind.DISPATCH, Progress.DONE)),
        ("REFUND", "FAILED", OrderProgress(ChangeKind.REFUND, Progress.FAILED)),
        ("MODIFY_SHIPPING", "IN_PROGRESS", OrderProgress(None, Progress.RUNNING)),
        ("A_NEW_ONE", "IN_PROGRESS", OrderProgress(None, Progress.RUNNING)),
        (None, "IN_PROGRESS", OrderProgress(None, Progress.RUNNING)),
        ("REFUND", "A_NEW_ONE", None),
        ("REFUND", "", None),
        (None, None, None),
    ],
)
async def test_an_order_tells_of_its_newest_change(source, status, progress):
    with respx.mock as router:
        router.get(f"{BASE}/api/v3/orders/o1").mock(return_value=ok(changing(source, status)))
        async with at_the_counter() as counter:
            page = await counter.shop.order("o1")

    assert [order.progress for order in page.orders] == [progress]


async def test_a_refusal_says_why_in_the_words_of_wish():
    with respx.mock as router:
        router.put(TRACKING).mock(return_value=refused(90001, message="unknown shipping_provider"))
        async with at_the_counter() as counter:
            with pytest.raises(ChannelRefused, match="unknown shipping_provider"):
                await counter.shop.dispatch("o1", PARCEL)


async def test_a_parcel_whose_answer_is_lost_is_not_told_again_on_the_spot():
    with respx.mock as router:
        route = router.put(TRACKING).mock(side_effect=httpx.ReadTimeout("lost"))
        async with at_the_counter() as counter:
            with pytest.raises(NoAnswer):
                await counter.shop.dispatch("o1", PARCEL)

    assert route.call_count == 1


@pytest.mark.parametrize(
    ("country", "query"),
    [
        (None, {"order_type": "GENERAL"}),
        ("GB", {"order_type": "CONFIRMED_DELIVERY", "dest_country_code": "GB"}),
    ],
)
async def test_carriers_are_all_or_those_that_confirm_delivery_in_a_country(country, query):
    with respx.mock as router:
        route = router.get(f"{BASE}/api/v3/orders/shipping_carriers", params=query).mock(
            return_value=ok([{"name": "Royal Mail"}, {"name": ""}, {"name": None}, {"name": "Royal Mail"}, {}])
        )
        async with at_the_counter() as counter:
            assert await counter.shop.carriers(country) == ("Royal Mail",)

    assert dict(route.calls.last.request.url.params) == query


async def test_an_order_says_whether_delivery_is_to_be_confirmed():
    with respx.mock as router:
        confirmed = an_order(1, fulfillment_order_types=["VAT", "CONFIRMED_DELIVERY_POLICY"])
        router.get(f"{BASE}/api/v3/orders/o1").mock(side_effect=[ok(confirmed), ok(an_order(1))])
        async with at_the_counter() as counter:
            pages = [await counter.shop.order("o1") for _ in range(2)]

    assert [page.orders[0].content.confirms_delivery for page in pages] == [True, False]


async def test_the_reasons_for_a_refund_are_words():
    with respx.mock as router:
        route = router.get(f"{BASE}/api/v3/orders/o1/refund_reasons")
        route.mock(side_effect=[ok(["UNABLE_TO_SHIP", "WRONG_COLOR"]), ok([]), ok([{"no": "word"}])])
        async with at_the_counter() as counter:
            assert await counter.shop.refund_reasons("o1") == ("UNABLE_TO_SHIP", "WRONG_COLOR")
            assert await counter.shop.refund_reasons("o1") == ()
            with pytest.raises(ReplyNotUnderstood):
                await counter.shop.refund_reasons("o1")
