import logging
from dataclasses import replace
from time import monotonic
from typing import Any

import httpx
import pytest
import respx
from tests.channels.factories import (
    BASE,
    NOW,
    TOKEN,
    a_client,
    a_context,
    an_access,
    at_the_counter,
    ok,
    refused,
)

from channel_sync.channels.http.breaker import FAILURES_TO_OPEN
from channel_sync.channels.wish.client import Request
from channel_sync.channels.wish.replies import Family
from channel_sync.domain.budgets import CallAllowance, CallLease
from channel_sync.domain.calls import Call
from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import (
    AccessTokenRejected,
    ChannelError,
    ChannelRefused,
    ChannelUnavailable,
    RunStopped,
)

TEST_CALL = f"{BASE}/api/v3/oauth/test"


async def test_the_token_travels_in_the_header_only():
    with respx.mock:
        route = respx.get(TEST_CALL).mock(return_value=ok({"merchant_id": "m1"}))
        async with at_the_counter() as counter:
            await counter.shop.merchant_id()
    request = route.calls.last.request
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in str(request.url)


async def test_a_call_is_noted_with_what_support_asks_for():
    with respx.mock:
        respx.get(f"{BASE}/api/v3/orders/o1").mock(return_value=refused(90001, headers={"Wish-Request-Id": "r-7"}))
        async with at_the_counter() as counter:
            with pytest.raises(ChannelRefused):
                await counter.shop.order("o1")
    (call,) = counter.context.take_calls()
    assert call == Call(NOW, "GET", "/api/v3/orders/o1", 400, 90001, call.duration_ms, "r-7")


async def test_a_call_without_an_answer_is_noted_too():
    with respx.mock:
        respx.get(TEST_CALL).mock(side_effect=httpx.ConnectError("https://wish.test/?secret=x"))
        async with at_the_counter() as counter:
            with pytest.raises(ChannelUnavailable) as raised:
                await counter.shop.merchant_id()
    assert raised.value.code == "connection_failed"
    assert [(call.status, call.code) for call in counter.context.calls] == [(None, None)] * 3


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("t"),
        httpx.ConnectError("c"),
        httpx.RemoteProtocolError("p"),
        OSError("o"),
        TimeoutError(),
    ],
)
async def test_a_read_is_tried_again_when_there_is_no_answer(failure):
    with respx.mock:
        respx.get(TEST_CALL).mock(side_effect=[failure, httpx.Response(503), ok({"merchant_id": "m1"})])
        async with at_the_counter() as counter:
            assert await counter.shop.merchant_id() == "m1"


async def test_three_tries_are_all():
    with respx.mock:
        route = respx.get(TEST_CALL).mock(return_value=httpx.Response(503))
        async with at_the_counter() as counter:
            with pytest.raises(ChannelUnavailable):
                await counter.shop.merchant_id()
    assert route.call_count == 3


@pytest.mark.parametrize("code", [1001, 1007, 10002, 90001])
async def test_what_wish_refused_is_not_asked_again(code):
    with respx.mock:
        route = respx.get(TEST_CALL).mock(return_value=refused(code))
        async with at_the_counter() as counter:
            with pytest.raises(ChannelError):
                await counter.shop.merchant_id()
    assert route.call_count == 1


async def test_a_job_without_a_body_is_queued_again_only_when_it_was_refused_for_the_rate():
    with respx.mock:
        route = respx.post(f"{BASE}/api/v3/products/bulk_get")
        async with at_the_counter() as counter:
            route.mock(side_effect=[httpx.ReadTimeout("lost")])
            with pytest.raises(ChannelUnavailable):
                await counter.shop.start_catalogue()
            route.mock(side_effect=[refused(1056), ok({"id": "job1"})])
            assert await counter.shop.start_catalogue() == "job1"


async def test_no_call_of_the_integration_starts_before_the_reset():
    with respx.mock:
        route = respx.get(TEST_CALL)
        route.mock(
            side_effect=[refused(1, 429, headers={"Wish-Rate-Limit-Reset": "1"}), ok({"merchant_id": "m1"})]
        )
        async with a_client() as client:
            started = monotonic()
            await client.call(Request(Family.OAUTH, "GET", "/api/v3/oauth/test"), an_access(), a_context())
    assert monotonic() - started >= 1.0


async def test_a_server_that_asks_for_minutes_is_not_asked_again_meanwhile():
    with respx.mock:
        route = respx.get(TEST_CALL).mock(return_value=httpx.Response(503, headers={"Retry-After": "120"}))
        async with at_the_counter() as counter:
            with pytest.raises(ChannelUnavailable) as raised:
                await counter.shop.merchant_id()
    assert route.call_count == 1
    assert raised.value.retry_after_s == 120


async def test_a_cut_wire_starts_nothing():
    with respx.mock(assert_all_called=False) as router:
        route = router.get(TEST_CALL).mock(return_value=ok({"merchant_id": "m1"}))
        async with at_the_counter() as counter:
            counter.context.cancel()
            with pytest.raises(RunStopped):
                await counter.shop.merchant_id()
    assert route.call_count == 0


async def test_a_wish_that_is_down_is_left_alone():
    with respx.mock:
        route = respx.get(TEST_CALL).mock(return_value=httpx.Response(502))
        async with at_the_counter() as counter:
            codes = []
            for _ in range(4):
                with pytest.raises(ChannelUnavailable) as raised:
                    await counter.shop.merchant_id()
                codes.append(raised.value.code)
    assert route.call_count == FAILURES_TO_OPEN
    assert codes == ["server_error", "server_error", "marketplace_unavailable", "marketplace_unavailable"]


JUNK = {"server error": httpx.Response(502), "page": httpx.Response(200, html="<p>No</p>")}


@pytest.mark.parametrize("reply", JUNK.values(), ids=JUNK)
async def test_what_one_shop_is_answered_holds_up_no_other(reply):
    with respx.mock as router:
        router.get(TEST_CALL, headers={"Authorization": "Bearer bad"}).mock(return_value=reply)
        router.get(TEST_CALL, headers={"Authorization": "Bearer good"}).mock(return_value=ok({"merchant_id": "m"}))
        async with at_the_counter() as counter:
            shops = {name: counter.of(an_access(f"int_{name}", name)) for name in ("bad", "good")}
            for _ in range(8):
                with pytest.raises(ChannelError):
                    await shops["bad"].merchant_id()
                assert await shops["good"].merchant_id() == "m"


async def test_a_wish_that_answers_nobody_is_left_alone_by_all():
    with respx.mock:
        route = respx.get(TEST_CALL).mock(return_value=httpx.Response(502))
        async with at_the_counter() as counter:
            for number in range(5):
                with pytest.raises(ChannelUnavailable):
                    await counter.of(an_access(f"int_{number}")).merchant_id()
    # Three tries of each of two shops, and the first one of a third.
    assert route.call_count == FAILURES_TO_OPEN + 1


async def test_a_call_that_a_person_waits_for_is_made_although_wish_is_left_alone():
    with respx.mock:
        route = respx.get(TEST_CALL).mock(return_value=httpx.Response(502))
        async with at_the_counter() as counter:
            for _ in range(3):
                with pytest.raises(ChannelUnavailable):
                    await counter.shop.merchant_id()
            made = route.call_count
            counter.context.by_person = True
            route.mock(return_value=ok({"merchant_id": "m"}))
            assert await counter.shop.merchant_id() == "m"
            counter.context.by_person = False
            assert await counter.shop.merchant_id() == "m"
    assert route.call_count == made + 2


async def test_token_calls_that_fail_hold_nobody_up():
    with respx.mock:
        respx.get(f"{BASE}/api/v3/oauth/refresh_token").mock(return_value=httpx.Response(502))
        respx.get(TEST_CALL).mock(return_value=ok({"merchant_id": "m"}))
        async with at_the_counter() as counter:
            request = Request(Family.GRANT, "GET", "/api/v3/oauth/refresh_token")
            for _ in range(20):
                with pytest.raises(ChannelUnavailable):
                    await counter.client.call_without_token(request, Environment.PRODUCTION)
            assert await counter.shop.merchant_id() == "m"


@pytest.mark.parametrize("token", ["", "two words", "line\r\nInjected: 1", "tök", "x" * 5000])
async def test_a_token_that_cannot_be_one_is_never_sent(token):
    with respx.mock(assert_all_called=False) as router:
        route = router.route().mock(return_value=ok({}))
        async with a_client() as client:
            with pytest.raises(AccessTokenRejected) as raised:
                await client.call(Request(Family.OAUTH, "GET", "/x"), an_access(token=token), a_context())
    assert route.call_count == 0
    assert not token or token not in repr(raised.value)


@pytest.mark.parametrize("id", ["", ".", ".."])
async def test_an_id_that_would_lead_elsewhere_is_refused(id):
    async with at_the_counter() as counter:
        with pytest.raises(ChannelRefused):
            await counter.shop.order(id)


async def test_an_id_is_one_segment_of_the_path():
    with respx.mock:
        route = respx.route(host="wish.test").mock(return_value=refused(90001))
        async with at_the_counter() as counter:
            with pytest.raises(ChannelRefused):
                await counter.shop.order("../products?x=1")
    assert route.calls.last.request.url.raw_path == b"/api/v3/orders/..%2Fproducts%3Fx%3D1"


async def test_neither_log_nor_error_shows_a_secret(caplog):
    caplog.set_level(logging.DEBUG)
    failures: list[Any] = [
        httpx.ConnectError(f"{BASE}/?access_token={TOKEN}"),
        httpx.Response(200, text=TOKEN),
        refused(1007),
    ]
    with respx.mock:
        respx.get(TEST_CALL).mock(side_effect=failures)
        async with at_the_counter() as counter:
            for _ in range(2):
                with pytest.raises(ChannelError) as raised:
                    await counter.shop.merchant_id()
                assert TOKEN not in f"{raised.value} {raised.value!r}"
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(counter.context.calls)


class NothingLeft:
    """A budget of all processes of which nothing is ever given out."""

    async def lease(self, integration_id: str, wanted: int, allowance: CallAllowance) -> CallLease:
        return CallLease(0, ask_again_s=60)

    async def pause(self, integration_id: str, seconds: float, allowance: CallAllowance) -> None:
        raise AssertionError("Nobody else calls for it.")


async def test_a_shop_that_no_integration_has_yet_waits_for_no_budget_of_others():
    with respx.mock:
        respx.get(TEST_CALL).mock(side_effect=[refused(1056, 429), ok({"merchant_id": "m1"})])
        async with at_the_counter(shared=NothingLeft()) as counter:
            shop = counter.of(replace(an_access("clm_1"), is_nobodys=True))
            assert await shop.merchant_id() == "m1"
