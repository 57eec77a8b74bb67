import json

import httpx
import pytest
import respx
from tests.channels.factories import BASE, a_product, a_variation, at_the_counter, ok, refused

from channel_sync.domain.channel import StockJob
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.job_state import JobState
from channel_sync.domain.listings import ListingStock, ProductStock, StockOutcome

PRODUCT = f"{BASE}/api/v3/products/p1"
BULK = f"{BASE}/api/v3/products/bulk_update"
FILE = f"{BASE}/files/result"


def listing(variation="v1", units=7, **changes):
    quantities = changes.pop("quantities", (("w1", units),))
    return ListingStock(f"lst_{variation}", variation, 3, units, quantities)


def product(*listings):
    return ProductStock("p1", listings or (listing(),))


async def set_stock(stock, router):
    async with at_the_counter() as counter:
        return await counter.shop.set_stock(stock)


async def test_only_ids_and_every_warehouse_given_are_sent():
    with respx.mock as router:
        inventories = [{"warehouse_id": "w1", "inventory": 7}, {"warehouse_id": "w2", "inventory": 0}]
        route = router.put(PRODUCT).mock(
            return_value=ok(a_product("p1", a_variation("v1", inventories=inventories)))
        )
        outcomes = await set_stock(product(listing(quantities=(("w1", 7), ("w2", 0)))), router)
    assert json.loads(route.calls.last.request.content) == {
        "variations": [{"id": "v1", "inventories": inventories}]
    }
    assert outcomes == (StockOutcome("lst_v1", 3, True, seen=(("w1", 7), ("w2", 0))),)


async def test_an_outcome_shows_the_warehouses_that_were_not_named_too():
    with respx.mock as router:
        inventories = [{"warehouse_id": "w2", "inventory": 4}, {"warehouse_id": "w1", "inventory": 7}]
        router.put(PRODUCT).mock(return_value=ok(a_product("p1", a_variation("v1", inventories=inventories))))
        (outcome,) = await set_stock(product(), router)
    assert outcome == StockOutcome("lst_v1", 3, True, seen=(("w2", 4), ("w1", 7)))


@pytest.mark.parametrize(
    ("answer", "did_nothing"),
    [
        (httpx.ReadTimeout("lost"), False),
        (httpx.ReadError("cut"), False),
        (httpx.Response(502), False),
        (httpx.ConnectError("refused"), True),
    ],
)
async def test_a_write_without_an_answer_is_not_sent_again_on_the_spot(answer, did_nothing):
    with respx.mock as router:
        route = router.put(PRODUCT).mock(side_effect=[answer])
        with pytest.raises(ChannelUnavailable) as raised:
            await set_stock(product(), router)
    assert raised.value.did_nothing is did_nothing
    assert route.call_count == 1


@pytest.mark.parametrize("way", [httpx.Response(429), refused(1056)])
async def test_a_write_that_was_turned_away_for_its_rate_did_nothing(way):
    with respx.mock as router:
        router.put(PRODUCT).mock(return_value=way)
        with pytest.raises(ChannelUnavailable) as raised:
            await set_stock(product(), router)
    assert raised.value.did_nothing


@pytest.mark.parametrize("reply", [{}, a_product("p1", a_variation("v1", 5)), {"id": "p1"}, []])
async def test_a_reply_that_does_not_show_the_stock_is_checked_by_reading(reply):
    with respx.mock as router:
        router.put(PRODUCT).mock(return_value=ok(reply))
        router.get(PRODUCT).mock(return_value=ok(a_product("p1", a_variation("v1", 7))))
        (outcome,) = await set_stock(product(), router)
    assert outcome == StockOutcome("lst_v1", 3, True, seen=(("w1", 7),))


async def test_stock_that_wish_does_not_show_is_not_applied():
    with respx.mock as router:
        router.put(PRODUCT).mock(return_value=ok(a_product("p1", a_variation("v1", 5))))
        router.get(PRODUCT).mock(return_value=ok(a_product("p1", a_variation("v1", 5))))
        (outcome,) = await set_stock(product(), router)
    assert (outcome.accepted, outcome.code) == (False, "not_applied")


@pytest.mark.parametrize(
    "reply",
    [a_product("p1", a_variation("v1", 5), request_id="r"), a_product("p1", a_variation("v1", 5, request_id="r"))],
)
async def test_a_change_in_review_is_accepted_and_says_so(reply):
    with respx.mock as router:
        router.put(PRODUCT).mock(return_value=ok(reply))
        (outcome,) = await set_stock(product(), router)
    assert (outcome.accepted, outcome.code) == (True, "under_review")


async def test_a_refused_listing_shows_wishs_code_and_words():
    with respx.mock as router:
        router.put(PRODUCT).mock(return_value=refused(90001, message="variation\nremoved"))
        (outcome,) = await set_stock(product(), router)
    assert outcome == StockOutcome("lst_v1", 3, False, "90001", "variation removed")


async def test_one_bad_variation_does_not_take_the_others_along():
    def answer(request):
        sent = json.loads(request.content)["variations"]
        if any(variation["id"] == "bad" for variation in sent):
            return refused(90001, message="removed")
        shown = [a_variation(one["id"], one["inventories"][0]["inventory"]) for one in sent]
        return ok(a_product("p1", *shown))

    with respx.mock as router:
        route = router.put(PRODUCT).mock(side_effect=answer)
        outcomes = await set_stock(product(listing("v1"), listing("bad"), listing("v2", 0)), router)
    assert [outcome.accepted for outcome in outcomes] == [True, False, True]
    assert route.call_count == 4


async def test_more_than_four_hundred_variations_go_in_parts():
    def answer(request):
        sent = json.loads(request.content)["variations"]
        return ok(a_product("p1", *(a_variation(one["id"], 7) for one in sent)))

    with respx.mock as router:
        route = router.put(PRODUCT).mock(side_effect=answer)
        outcomes = await set_stock(product(*(listing(f"v{number}") for number in range(401))), router)
    assert sum(outcome.accepted for outcome in outcomes) == 401
    assert route.call_count == 2


async def test_an_outage_is_not_a_refusal():
    with respx.mock as router:
        router.put(PRODUCT).mock(return_value=httpx.Response(503))
        with pytest.raises(ChannelUnavailable):
            await set_stock(product(), router)


async def test_a_job_is_a_bare_array_of_products():
    with respx.mock as router:
        route = router.post(BULK).mock(return_value=ok({"id": "j1", "status": "PENDING"}))
        async with at_the_counter() as counter:
            assert await counter.shop.start_stock_job([product(), ProductStock("p2", (listing("v9", 0),))]) == "j1"
    assert json.loads(route.calls.last.request.content) == [
        {"id": "p1", "variations": [{"id": "v1", "inventories": [{"warehouse_id": "w1", "inventory": 7}]}]},
        {"id": "p2", "variations": [{"id": "v9", "inventories": [{"warehouse_id": "w1", "inventory": 0}]}]},
    ]


async def test_a_job_without_an_answer_is_not_queued_again():
    with respx.mock as router:
        route = router.post(BULK).mock(side_effect=[httpx.Response(502)])
        async with at_the_counter() as counter:
            with pytest.raises(ChannelUnavailable):
                await counter.shop.start_stock_job([product()])
    assert route.call_count == 1


async def job_of(content="", status="READY"):
    with respx.mock(assert_all_called=False) as router:
        job = {"id": "j1", "status": status, "file_urls": [FILE] if status == "READY" else None}
        router.get(f"{BULK}/j1").mock(return_value=ok(job))
        router.get(FILE).respond(content=content.encode())
        async with at_the_counter() as counter:
            return await counter.shop.stock_job("j1")


@pytest.mark.parametrize(("status", "state"), [("PENDING", JobState.PENDING), ("EXCEPTION", JobState.FAILED)])
async def test_a_job_that_is_not_ready_has_refused_nothing_yet(status, state):
    assert await job_of(status=status) == StockJob(state)


async def test_a_ready_job_names_what_it_refused():
    lines = [
        {"id": "p1", "code": 0, "message": ""},
        {"id": "p2", "code": 90001, "message": "no such\x07 variation"},
        {"product_id": "p3", "error": "blocked"},
        {"data": {"id": "p4"}, "errors": ["too", {"message": "much"}]},
        {"product": {"id": 5}, "code": "77"},
        {"id": "p6", "code": "0", "errors": [], "error": None},
    ]
    job = await job_of("\n".join(json.dumps(line) for line in lines))
    assert job.state is JobState.READY
    assert job.refused == {
        "p2": ("90001", "no such  variation"),
        "p3": ("refused", "blocked"),
        "p4": ("refused", "too; much"),
        "5": ("77", "Wish gave no reason."),
    }


async def test_a_code_of_a_result_is_fit_to_be_stored():
    job = await job_of(json.dumps({"id": "p1", "code": "bad\0" + "x" * 900}))
    [(code, _)] = job.refused.values()
    assert code == "bad " + "x" * 296


@pytest.mark.parametrize("line", ['{"message": "who?"}', "garbage", '{"id": null, "code": 0}', "[1]"])
async def test_a_result_that_names_no_product_is_a_failed_job(line):
    assert await job_of('{"id":"p1"}\n' + line) == StockJob(JobState.FAILED)
