"""Automated Listing Review."""

import pytest
from tests.simulator.product_calls import mug, new_product, put_stock, stock
from tests.simulator.simulated import Simulated


@pytest.fixture(autouse=True)
def review(wish: Simulated) -> None:
    wish.market.switches.change({"listing_review": True})


async def rename(wish: Simulated) -> str:
    answer = await wish.put(f"/products/{mug(wish)['id']}", {"name": "A better mug"})
    request_id: str = answer.json()["data"]["request_id"]
    return request_id


async def test_the_settings_say_that_review_is_on(wish: Simulated) -> None:
    settings = await wish.read("/merchant/settings")
    assert settings["automated_listing_review_experience"] == {"status": "ENABLED"}


async def test_an_edit_waits_and_is_applied_when_approved(wish: Simulated) -> None:
    request_id = await rename(wish)
    assert (await wish.read(f"/products/{mug(wish)['id']}"))["name"] == "Product MUG"
    assert (await wish.read(f"/products/requests/{request_id}"))["status"] == "UNDER_REVIEW"
    wish.wait(2)
    assert (await wish.read(f"/products/requests/{request_id}"))["status"] == "APPROVED"
    assert (await wish.read(f"/products/{mug(wish)['id']}"))["name"] == "A better mug"


async def test_a_blocked_edit_has_a_reason_and_no_effect(wish: Simulated) -> None:
    wish.market.switches.change({"review_verdict": "BLOCKED"})
    request_id = await rename(wish)
    wish.wait(2)
    request = await wish.read(f"/products/requests/{request_id}")
    assert request["status"] == "BLOCKED"
    assert request["blocking_reason"]
    assert (await wish.read(f"/products/{mug(wish)['id']}"))["name"] == "Product MUG"


async def test_stock_alone_passes_at_once(wish: Simulated) -> None:
    answer = await put_stock(wish, 2, 2)
    assert "request_id" not in answer.json()["data"]
    assert (await stock(wish))["MUG-RED"] == [2, 2]


async def test_a_withdrawn_edit_is_gone_and_never_applied(wish: Simulated) -> None:
    request_id = await rename(wish)
    assert (await wish.delete(f"/products/requests/{request_id}")).status_code == 204
    wish.wait(2)
    assert (await wish.get(f"/products/requests/{request_id}")).json()["code"] == 90001
    assert (await wish.read(f"/products/{mug(wish)['id']}"))["name"] == "Product MUG"


async def test_a_decided_edit_cannot_be_withdrawn(wish: Simulated) -> None:
    request_id = await rename(wish)
    wish.wait(2)
    assert (await wish.delete(f"/products/requests/{request_id}")).json()["code"] == 90001


async def test_a_new_product_is_inactive_until_approved(wish: Simulated) -> None:
    made = (await wish.post("/products", new_product(wish))).json()["data"]
    assert (made["state"], made["status"]) == ("WISH_INACTIVE", "PENDING_REVIEW")
    wish.wait(2)
    assert (await wish.read(f"/products/{made['id']}"))["state"] == "ACTIVE"


async def test_requests_are_filtered(wish: Simulated) -> None:
    request_id = await rename(wish)
    for query, count in (
        ({}, 1),
        ({"id": request_id}, 1),
        ({"product_id": "0" * 24}, 0),
        ({"statuses": "BLOCKED"}, 0),
        ({"statuses": ["UNDER_REVIEW", "BLOCKED"]}, 1),
        ({"min_created_at": "2099-01-01T00:00:00.000Z"}, 0),
    ):
        assert len(await wish.read("/products/requests", **query)) == count
    assert (await wish.get("/products/requests", statuses="MAYBE")).json()["code"] == 90001


async def test_a_malformed_request_id_is_unknown(wish: Simulated) -> None:
    assert (await wish.get("/products/requests/nonsense")).json()["code"] == 90001
