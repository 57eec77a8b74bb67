"""Jobs that work on files: order download, catalogue download, product update."""

import csv
import io
import json
from typing import Any

import httpx
import pytest
from tests.simulator.product_calls import mug, places, stock
from tests.simulator.simulated import Simulated


async def fetch(wish: Simulated, url: str, **headers: str) -> httpx.Response:
    async with wish.anonymous(**headers) as http:
        return await http.get(url)


async def lines(wish: Simulated, job: dict[str, Any]) -> list[Any]:
    found = []
    for url in job["file_urls"]:
        found += [json.loads(line) for line in (await fetch(wish, url)).text.splitlines()]
    return found


async def finished(wish: Simulated, kind: str, body: Any = None, **query: Any) -> dict[str, Any]:
    answer = await wish.post(kind, body, **query)
    assert answer.status_code == 200, answer.text
    wish.wait(2)
    job: dict[str, Any] = await wish.read(f"{kind}/{answer.json()['data']['id']}")
    return job


def element(wish: Simulated, *numbers: int) -> dict[str, Any]:
    variation = {"id": mug(wish)["variations"][0]["id"], "inventories": places(wish, *numbers)}
    return {"id": mug(wish)["id"], "variations": [variation]}


async def test_a_job_is_pending_without_files_until_its_time(wish: Simulated) -> None:
    job = (await wish.post("/products/bulk_get")).json()["data"]
    assert (job["status"], job["file_urls"]) == ("PENDING", None)
    wish.wait(1)
    assert (await wish.read(f"/products/bulk_get/{job['id']}"))["status"] == "PENDING"
    wish.wait(1)
    assert (await wish.read(f"/products/bulk_get/{job['id']}"))["status"] == "READY"


async def test_the_catalogue_comes_as_one_whole_product_per_line(wish: Simulated) -> None:
    wish.add("CUP", "CUP-1")
    job = await finished(wish, "/products/bulk_get")
    assert await lines(wish, job) == [
        await wish.read(f"/products/{row.document['id']}") for row in wish.shop.catalogue
    ]
    assert (job["total_count"], job["processed_count"]) == (2, 2)


async def test_a_large_download_is_split_into_files(wish: Simulated) -> None:
    wish.market.switches.change({"file_max_lines": 2})
    for number in range(4):
        wish.add(f"P{number}", f"P{number}-1")
    job = await finished(wish, "/products/bulk_get")
    assert len(job["file_urls"]) == 3
    assert len(await lines(wish, job)) == 5


async def test_an_order_download_is_created_on_the_way_and_filtered(wish: Simulated) -> None:
    wish.place(3)
    (shipped,) = wish.place(state="SHIPPED")
    job = (await wish.post("/orders/bulk_get", states="SHIPPED")).json()["data"]
    wish.wait(1)
    assert (await wish.read(f"/orders/bulk_get/{job['id']}"))["status"] == "CREATING"
    wish.wait(1)
    ready = await wish.read(f"/orders/bulk_get/{job['id']}")
    assert [order["id"] for order in await lines(wish, ready)] == [shipped.id]
    assert ready["expiry_time"] > ready["completed_at"]


async def test_an_order_download_has_no_largest_limit(wish: Simulated) -> None:
    wish.place(1200)
    assert len(await lines(wish, await finished(wish, "/orders/bulk_get"))) == 1200
    assert len(await lines(wish, await finished(wish, "/orders/bulk_get", limit=700))) == 700


@pytest.mark.parametrize("form", ["json_lines", "json_array", "csv"])
async def test_orders_are_the_same_however_their_file_is_written(wish: Simulated, form: str) -> None:
    wish.market.switches.change({"order_file_format": form, "file_max_lines": 2})
    wish.place(3)
    listed = await wish.read("/orders", sort_by="updated_at.desc")
    job = await finished(wish, "/orders/bulk_get")
    texts = [(await fetch(wish, url)).text for url in job["file_urls"]]
    assert [order for text in texts for order in orders_in(text, form)] == listed


def orders_in(text: str, form: str) -> list[Any]:
    if form == "json_array":
        return list(json.loads(text))
    if form == "json_lines":
        return [json.loads(line) for line in text.splitlines()]
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [
        {name: json.loads(cell) if is_json(name, cell) else cell for name, cell in row.items()} for row in rows
    ]


def is_json(name: str, cell: str) -> bool:
    return cell[:1] in ("[", "{") or name == "total_frs_quantity"


async def test_links_stop_working(wish: Simulated) -> None:
    wish.market.switches.change({"file_ttl_s": 60})
    job = await finished(wish, "/products/bulk_get")
    wish.wait(60)
    assert (await fetch(wish, job["file_urls"][0])).status_code == 403


async def test_the_file_host_refuses_a_bearer_token_and_counts_it(wish: Simulated) -> None:
    job = await finished(wish, "/products/bulk_get")
    answer = await fetch(wish, job["file_urls"][0], Authorization="Bearer x")
    assert answer.status_code == 400
    assert wish.market.journal.counters.bearer_sent_to_files == 1


async def test_an_update_job_sets_stock_when_it_runs_not_before(wish: Simulated) -> None:
    answer = await wish.post("/products/bulk_update", [element(wish, 3, 4)])
    assert (await stock(wish))["MUG-RED"] == [10, 10]
    wish.wait(2)
    job = await wish.read(f"/products/bulk_update/{answer.json()['data']['id']}")
    assert (await stock(wish))["MUG-RED"] == [3, 4]
    assert await lines(wish, job) == [{"product_id": mug(wish)["id"], "code": 0, "message": ""}]


async def test_each_failing_element_has_its_line_and_the_others_are_done(wish: Simulated) -> None:
    unknown = {"id": "0" * 24, "variations": []}
    wrong = element(wish, -1)
    job = await finished(wish, "/products/bulk_update", [unknown, wrong, element(wish, 5, 5)])
    results = await lines(wish, job)
    assert [result["code"] for result in results] == [90001, 90001, 0]
    assert [bool(result["message"]) for result in results] == [True, True, False]
    assert (job["status"], job["total_count"], job["processed_count"]) == ("READY", 3, 3)
    assert (await stock(wish))["MUG-RED"] == [5, 5]


async def test_chosen_products_can_be_refused(wish: Simulated) -> None:
    wish.market.switches.change({"refused_product_ids": [mug(wish)["id"]]})
    job = await finished(wish, "/products/bulk_update", [element(wish, 1, 1)])
    assert (await lines(wish, job))[0]["code"] == 90001
    assert (await stock(wish))["MUG-RED"] == [10, 10]


async def test_a_job_can_break_off_after_some_elements(wish: Simulated) -> None:
    wish.market.switches.change({"job_exception_after": 1})
    cup = wish.add("CUP", "CUP-1")
    second = {"id": cup["id"], "name": "Not reached"}
    job = await finished(wish, "/products/bulk_update", [element(wish, 1, 1), second])
    assert (job["status"], job["file_urls"], job["processed_count"]) == ("EXCEPTION", None, 1)
    assert (await stock(wish))["MUG-RED"] == [1, 1]
    assert (await wish.read(f"/products/{cup['id']}"))["name"] == "Product CUP"


@pytest.mark.parametrize("body", [{}, [1], [{"variations": []}], "x", None])
async def test_an_update_body_must_be_an_array_of_products_with_ids(wish: Simulated, body: Any) -> None:
    answer = await wish.post("/products/bulk_update", body)
    assert (answer.status_code, answer.json()["code"]) == (400, 90001)


async def test_a_largest_number_of_products_can_be_set(wish: Simulated) -> None:
    wish.market.switches.change({"bulk_max_products": 1})
    assert (await wish.post("/products/bulk_update", [element(wish, 1)] * 2)).json()["code"] == 90001


async def test_a_job_of_one_kind_is_unknown_to_the_others(wish: Simulated) -> None:
    job = (await wish.post("/products/bulk_get")).json()["data"]
    for kind in ("/products/bulk_update", "/orders/bulk_get"):
        assert (await wish.get(f"{kind}/{job['id']}")).json()["code"] == 90001
