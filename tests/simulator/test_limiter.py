"""The rate limit of one app for one merchant."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from tests.simulator.simulated import Simulated

from wish_simulator.limiter import reset_text

RESET = "wish-rate-limit-reset"
NOW_MS = 1_800_000_000_400


@pytest.fixture(autouse=True)
def narrow(wish: Simulated) -> None:
    wish.market.switches.change({"rate_per_s": 0.001, "burst": 3})


async def used_up(wish: Simulated) -> httpx.Response:
    for _ in range(3):
        await wish.get("/oauth/test")
    return await wish.get("/oauth/test")


async def test_remaining_counts_down_on_every_answer(wish: Simulated) -> None:
    answers = [await wish.get(path) for path in ("/oauth/test", "/orders/bad", "/currencies", "/oauth/test")]
    assert [answer.headers["wish-rate-limit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert [RESET in answer.headers for answer in answers] == [False, False, False, True]


async def test_the_call_too_many_is_a_429_with_code_1056_and_no_effect(wish: Simulated) -> None:
    answer = await used_up(wish)
    assert (answer.status_code, answer.json()["code"]) == (429, 1056)
    assert wish.market.journal.counters.rate_limited == 1
    refused = await wish.post("/products/bulk_get")
    assert refused.status_code == 429
    assert wish.shop.jobs == {}


async def test_the_bucket_refills_with_time(wish: Simulated) -> None:
    await used_up(wish)
    wish.wait(1000)
    assert (await wish.get("/oauth/test")).status_code == 200
    assert (await wish.get("/oauth/test")).status_code == 429


async def test_another_merchant_has_a_bucket_of_his_own(wish: Simulated) -> None:
    await used_up(wish)
    other = wish.market.grant(wish.app, wish.market.add_merchant(login="other"))
    wish.http.headers["authorization"] = f"Bearer {other.value}"
    assert (await wish.get("/oauth/test")).status_code == 200


async def test_another_app_has_a_bucket_of_its_own(wish: Simulated) -> None:
    await used_up(wish)
    other = wish.market.grant(wish.market.add_app("https://b.example/"), wish.shop)
    wish.http.headers["authorization"] = f"Bearer {other.value}"
    assert (await wish.get("/oauth/test")).status_code == 200


async def test_the_code_and_the_status_can_be_others(wish: Simulated) -> None:
    wish.market.switches.change({"limit_code": 429, "limit_status": 400})
    answer = await used_up(wish)
    assert (answer.status_code, answer.json()["code"]) == (400, 429)


async def test_the_reset_header_names_the_time_of_the_next_call(wish: Simulated) -> None:
    answer = await used_up(wish)
    wait_s = int(answer.headers[RESET]) - wish.market.clock.now_ms() / 1000
    assert 990 < wait_s < 1001


async def test_the_reset_header_can_be_absent(wish: Simulated) -> None:
    wish.market.switches.change({"reset_format": "absent"})
    assert RESET not in (await used_up(wish)).headers


async def test_one_app_and_merchant_can_be_throttled(wish: Simulated) -> None:
    wish.market.switches.change({"rate_per_s": None})
    pair = {"client_id": wish.app.client_id, "merchant_id": wish.shop.merchant.id, "seconds": 30}
    await wish.control("/throttle", pair)
    assert (await wish.get("/oauth/test")).status_code == 429
    wish.wait(30)
    assert (await wish.get("/oauth/test")).status_code == 200


async def test_token_calls_are_limited_by_client_id(wish: Simulated) -> None:
    answers = [await wish.get("/oauth/refresh_token", client_id="a") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert (await wish.get("/oauth/refresh_token", client_id="b")).status_code == 400


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("epoch_s", "1800000003"),
        ("epoch_ms", "1800000002900"),
        ("iso", "2027-01-15T08:00:02.900Z"),
        ("http_date", "Fri, 15 Jan 2027 08:00:03 GMT"),
        ("seconds", "3"),
        ("garbage", "soon"),
        ("absent", None),
    ],
)
def test_reset_formats(form: Any, text: str | None) -> None:
    assert reset_text(NOW_MS + 2500, NOW_MS, form) == text


def test_the_printed_times_mean_the_same() -> None:
    iso = datetime.fromisoformat(str(reset_text(NOW_MS, NOW_MS, "iso"))).timestamp()
    printed = parsedate_to_datetime(str(reset_text(NOW_MS, NOW_MS, "http_date"))).timestamp()
    assert 0 <= printed - iso < 1
