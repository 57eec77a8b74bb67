"""Answers that go wrong on demand, most of them over a real socket."""

import asyncio
import time
from typing import Any

import httpx
import pytest
from tests.simulator.product_calls import mug, places, stock
from tests.simulator.simulated import API, Simulated


async def arm(wish: Simulated, way: str, **rest: Any) -> None:
    await wish.control("/faults", {"way": way, "path": "/api/v3/*", **rest})


async def call(
    wish: Simulated, url: str, method: str = "GET", path: str = "/orders", **rest: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {wish.token.value}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=5) as http:
        return await http.request(method, API + path, **rest)


async def put_stock(wish: Simulated, url: str, number: int) -> httpx.Response:
    variation = {"id": mug(wish)["variations"][0]["id"], "inventories": places(wish, number)}
    return await call(wish, url, "PUT", f"/products/{mug(wish)['id']}", json={"variations": [variation]})


async def test_the_next_calls_are_refused_and_then_no_more(wish: Simulated) -> None:
    await arm(wish, "refuse", times=2, status=503, code=90001)
    assert [(await wish.get("/orders")).status_code for _ in range(3)] == [503, 503, 200]


async def test_a_fault_hits_only_the_path_and_method_it_names(wish: Simulated) -> None:
    await wish.control("/faults", {"way": "html_502", "path": "/api/v3/products*", "method": "POST"})
    assert (await wish.get("/products")).status_code == 200
    assert (await wish.post("/products/bulk_get")).status_code == 502


async def test_calls_can_be_let_through_before_a_fault(wish: Simulated) -> None:
    await arm(wish, "refuse", skip=2)
    assert [(await wish.get("/orders")).status_code for _ in range(4)] == [200, 200, 500, 200]


async def test_a_gateway_answers_with_html(wish: Simulated) -> None:
    await arm(wish, "html_502")
    answer = await wish.get("/orders")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")


async def test_any_answer_can_be_put_in_place(wish: Simulated) -> None:
    await arm(wish, "custom", status=200, text='["odd"]', headers={"Retry-After": "9"})
    answer = await wish.get("/orders")
    assert (answer.json(), answer.headers["retry-after"]) == (["odd"], "9")


async def test_an_error_after_the_effect_has_had_its_effect(wish: Simulated, url: str) -> None:
    await arm(wish, "refuse_after", status=500)
    assert (await put_stock(wish, url, 3)).status_code == 500
    assert (await stock(wish))["MUG-RED"] == [3, 10]


async def test_a_dropped_connection_has_no_effect(wish: Simulated, url: str) -> None:
    await arm(wish, "drop")
    with pytest.raises(httpx.TransportError):
        await put_stock(wish, url, 3)
    assert (await stock(wish))["MUG-RED"] == [10, 10]


async def test_a_connection_can_drop_after_the_effect(wish: Simulated, url: str) -> None:
    await arm(wish, "drop_after")
    with pytest.raises(httpx.TransportError):
        await put_stock(wish, url, 3)
    assert (await stock(wish))["MUG-RED"] == [3, 10]


async def test_an_answer_can_time_out_after_the_effect(wish: Simulated, url: str) -> None:
    await arm(wish, "timeout_after", seconds=0.2)
    started = time.monotonic()
    with pytest.raises(httpx.TransportError):
        await put_stock(wish, url, 3)
    assert time.monotonic() - started >= 0.2
    assert (await stock(wish))["MUG-RED"] == [3, 10]


async def test_an_answer_can_drip_slowly_and_is_whole_in_the_end(wish: Simulated, url: str) -> None:
    wish.place(3)
    await arm(wish, "slow_drip", seconds=0.2)
    started = time.monotonic()
    answer = await call(wish, url)
    assert time.monotonic() - started >= 0.2
    assert len(answer.json()["data"]) == 3


async def test_json_can_be_truncated_inside_good_http(wish: Simulated, url: str) -> None:
    wish.place()
    await arm(wish, "truncated")
    answer = await call(wish, url)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


async def test_an_answer_can_be_cut_off_in_the_middle(wish: Simulated, url: str) -> None:
    wish.place(50)
    await arm(wish, "cut")
    with pytest.raises(httpx.RemoteProtocolError):
        await call(wish, url)


async def test_a_delayed_answer_is_the_right_one(wish: Simulated, url: str) -> None:
    await arm(wish, "delay", seconds=0.1)
    started = time.monotonic()
    assert (await call(wish, url)).json()["code"] == 0
    assert time.monotonic() - started >= 0.1


async def test_the_server_goes_on_after_a_dropped_connection(wish: Simulated, url: str) -> None:
    await arm(wish, "drop")
    with pytest.raises(httpx.TransportError):
        await call(wish, url)
    assert (await call(wish, url)).status_code == 200


async def held(wish: Simulated, count: int) -> None:
    for _ in range(200):
        if wish.market.faults.waiting == count:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{wish.market.faults.waiting} calls are held")


async def test_calls_are_held_before_their_effect_until_released(wish: Simulated, url: str) -> None:
    await wish.control("/hold", {"path": "/api/v3/products/*", "method": "PUT"})
    waiting = asyncio.create_task(put_stock(wish, url, 3))
    await held(wish, 1)
    assert (await stock(wish))["MUG-RED"] == [10, 10]
    assert await wish.control("/release") == {"released": 1}
    assert (await waiting).status_code == 200
    assert (await stock(wish))["MUG-RED"] == [3, 10]


async def test_calls_are_held_after_their_effect(wish: Simulated, url: str) -> None:
    await wish.control("/hold", {"path": "/api/v3/products/*", "method": "PUT", "when": "after"})
    waiting = asyncio.create_task(put_stock(wish, url, 3))
    await held(wish, 1)
    assert (await stock(wish))["MUG-RED"] == [3, 10]
    await wish.control("/release")
    assert (await waiting).status_code == 200


async def test_one_call_can_be_held_while_later_ones_pass_it(wish: Simulated, url: str) -> None:
    await wish.control("/hold", {"path": "/api/v3/products/*", "method": "PUT", "times": 1})
    waiting = asyncio.create_task(put_stock(wish, url, 3))
    await held(wish, 1)
    assert (await put_stock(wish, url, 7)).status_code == 200
    assert (await stock(wish))["MUG-RED"] == [7, 10]
    await wish.control("/release")
    await waiting
    assert (await stock(wish))["MUG-RED"] == [3, 10]


async def test_errors_can_come_with_status_200(wish: Simulated) -> None:
    wish.market.switches.change({"errors_as_200": True})
    answer = await wish.get("/orders", limit=501)
    assert (answer.status_code, answer.json()["code"]) == (200, 90001)


async def test_codes_can_be_text(wish: Simulated) -> None:
    wish.market.switches.change({"string_codes": True})
    assert (await wish.get("/orders", limit=501)).json()["code"] == "90001"


async def test_every_call_can_be_slow(wish: Simulated) -> None:
    wish.market.switches.change({"latency_s": 0.05})
    started = time.monotonic()
    await wish.get("/orders")
    assert time.monotonic() - started >= 0.05


async def test_texts_follow_the_language_and_codes_do_not(wish: Simulated) -> None:
    english = await wish.get("/orders", limit=501)
    wish.http.headers["accept-language"] = "zh-CN,zh;q=0.9"
    chinese = await wish.get("/orders", limit=501)
    assert (english.headers["content-language"], chinese.headers["content-language"]) == ("en-US", "zh-CN")
    assert english.json()["message"] != chinese.json()["message"]
    assert english.json()["code"] == chinese.json()["code"]


async def test_request_ids_differ(wish: Simulated) -> None:
    first, second = await wish.get("/orders"), await wish.get("/orders")
    assert first.headers["wish-request-id"] != second.headers["wish-request-id"]
