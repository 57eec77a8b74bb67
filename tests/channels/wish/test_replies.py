import httpx
import pytest
import respx
from tests.channels.factories import BASE, at_the_counter, ok, refused

from channel_sync.channels.wish.replies import MAX_REASON
from channel_sync.domain.errors import (
    AccessTokenRejected,
    AccountDisabled,
    ChannelError,
    ChannelRefused,
    ChannelUnavailable,
    NotAtChannel,
    RateLimited,
    ReplyNotUnderstood,
)

ORDERS = f"{BASE}/api/v3/orders/x"
PRODUCT = f"{BASE}/api/v3/products/x"
HTML = httpx.Response(200, html="<html>maintenance</html>")


async def error_of(answer, address=ORDERS):
    """What a single read comes to when Wish always answers like this."""
    with respx.mock:
        respx.get(address).mock(return_value=answer)
        async with at_the_counter() as counter:
            with pytest.raises(ChannelError) as raised:
                await (counter.shop.product("x") if address == PRODUCT else counter.shop.order("x"))
    return raised.value


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("code", [1006, 1007, "1007", 1008, 1009, 1015, 1016, "4000"])
async def test_token_codes_mean_the_same_whatever_the_status_and_type(code, status):
    error = await error_of(refused(code, status))
    assert type(error) is AccessTokenRejected
    assert error.code == str(code)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refused(1002), AccountDisabled, "account_disabled"),
        (refused(1012, 401), ReplyNotUnderstood, "token_not_sent"),
        (refused(90001), NotAtChannel, "90001"),
        (refused(10004), ChannelRefused, "10004"),
        (refused(77, 200), ChannelRefused, "77"),
        (refused("odd", 400), ChannelRefused, "http_400"),
        (refused(0, 400), ChannelRefused, "http_400"),
        (httpx.Response(404, text="nothing here"), NotAtChannel, "http_404"),
        (httpx.Response(401, text="who are you"), AccessTokenRejected, "http_401"),
        (httpx.Response(401, html="<html>"), AccessTokenRejected, "http_401"),
        (httpx.Response(502, html="<html>"), ChannelUnavailable, "server_error"),
        (refused(90001, 500), ChannelUnavailable, "server_error"),
        (httpx.Response(403, html="<html>"), ChannelUnavailable, "gateway_page"),
        (httpx.Response(408), ChannelUnavailable, "gateway_page"),
        (HTML, ChannelUnavailable, "gateway_page"),
        (httpx.Response(200, content=b" <!doctype html>"), ChannelUnavailable, "gateway_page"),
        (httpx.Response(200, content=b""), ReplyNotUnderstood, "no_envelope"),
        (httpx.Response(200, content=b"null"), ReplyNotUnderstood, "no_envelope"),
        (httpx.Response(200, content=b"[]"), ReplyNotUnderstood, "no_envelope"),
        (httpx.Response(200, content=b"{}"), ReplyNotUnderstood, "no_envelope"),
        (httpx.Response(200, text="fine"), ReplyNotUnderstood, "no_envelope"),
        (httpx.Response(200, content=b'{"code":0,"data":{"id":"x'), ReplyNotUnderstood, "no_envelope"),
        (httpx.Response(200, content=b"[" * 100_000), ReplyNotUnderstood, "no_envelope"),
        (httpx.Response(200, content=b'{"code":true,"data":{}}'), ReplyNotUnderstood, "no_envelope"),
        (httpx.Response(302, headers={"Location": "https://trap.test/"}), ReplyNotUnderstood, "redirect"),
        (httpx.Response(200, headers={"Content-Encoding": "br"}), ReplyNotUnderstood, "bad_encoding"),
    ],
)
async def test_every_answer_has_one_meaning(answer, kind, code):
    error = await error_of(answer)
    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize("answer", [refused(1056, 400), refused("1056", 200), refused(1, 429), refused(None, 429)])
async def test_a_rate_limit_is_one_by_status_or_by_code(answer):
    answer.headers["Wish-Rate-Limit-Reset"] = "500"
    error = await error_of(answer)
    assert type(error) is RateLimited
    assert error.code == "rate_limited"
    assert error.retry_after_s == pytest.approx(500, abs=1)


async def test_an_error_carries_wishs_request_id():
    assert (await error_of(refused(90001, headers={"Wish-Request-Id": "r-1"}))).request_id == "r-1"


async def test_a_success_in_text_is_a_success():
    with respx.mock:
        respx.get(f"{BASE}/api/v3/oauth/test").respond(json={"code": "0", "data": {"merchant_id": "m1"}})
        async with at_the_counter() as counter:
            assert await counter.shop.merchant_id() == "m1"


async def test_a_reply_of_another_shape_names_the_place_and_not_the_value():
    with respx.mock:
        respx.get(f"{BASE}/api/v3/merchant/warehouses").mock(return_value=ok([{"id": ["CNRY-value"]}]))
        async with at_the_counter() as counter:
            with pytest.raises(ReplyNotUnderstood) as raised:
                await counter.shop.warehouses()
    assert "/0/id" in str(raised.value)
    assert "CNRY" not in str(raised.value)


async def test_a_seller_reads_wishs_words_about_a_product_without_control_characters():
    error = await error_of(refused(90001, message="bad\x1b[31m\nsku " + "x" * 5000), PRODUCT)
    assert error.message.startswith("bad [31m sku x")
    assert len(error.message) <= MAX_REASON


async def test_wishs_words_about_anything_else_are_not_repeated():
    assert "secret" not in (await error_of(refused(90001, message="secret words"))).message
