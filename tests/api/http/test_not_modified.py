"""Whoever has an answer already gets a 304 for it, from wherever it may be read."""

import pytest
from tests.api.world import CONSOLE

from channel_sync.domain.clock import utcnow
from channel_sync.domain.runs import RunKind

PLACES = [
    "/integrations/{id}",
    "/integrations/{id}/status",
    "/docs",
    "/docs/swagger-ui-bundle.js",
    "/docs/start.js",
]


@pytest.fixture
async def integration_id(world, admin) -> str:
    return str((await world.connect(admin))["id"])


@pytest.mark.parametrize("place", PLACES)
async def test_what_the_caller_has_is_304_without_a_body(admin, integration_id, place):
    place = place.format(id=integration_id)
    first = await admin.get(place)
    again = await admin.get(place, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert not {"content-type", "content-length"} & set(again.headers)
    assert {"x-request-id", "cache-control", "x-content-type-options"} <= set(again.headers)


@pytest.mark.parametrize("form", ["{}", '"0", {}', "W/{}", "*", ' {} , "x"'])
async def test_its_tag_may_stand_in_a_list_or_be_weak(admin, integration_id, form):
    place = f"/integrations/{integration_id}"
    etag = (await admin.get(place)).headers["etag"]
    assert (await admin.get(place, headers={"If-None-Match": form.format(etag)})).status_code == 304


@pytest.mark.parametrize("odd", ["", "x", '"', '"0"', "W/", ",", '"3'])
async def test_another_or_an_odd_tag_gets_it_all(admin, integration_id, odd):
    answer = await admin.get(f"/integrations/{integration_id}", headers={"If-None-Match": odd})
    assert (answer.status_code, answer.json()["id"]) == (200, integration_id)


async def test_a_change_is_news(admin, integration_id):
    place = f"/integrations/{integration_id}"
    known = {"If-None-Match": (await admin.get(place)).headers["etag"]}
    changed = await admin.patch(place, json={"name": "New"})
    answer = await admin.get(place, headers=known)
    assert (answer.status_code, answer.json()["name"]) == (200, "New")
    assert answer.headers["etag"] == changed.headers["etag"]


@pytest.mark.parametrize("place", ["/integrations/{id}", "/integrations/{id}/status"])
async def test_what_a_job_did_is_news_though_the_version_stays(world, admin, integration_id, place):
    place = place.format(id=integration_id)
    first = await admin.get(place)
    await admin.put("/stock", json={"items": [{"sku": "MUG", "available": 1}]})
    async with world.database.begin() as work:
        await work.schedules.failed(integration_id, RunKind.ORDERS, utcnow(), utcnow(), "timeout")
    answer = await admin.get(place, headers={"If-None-Match": first.headers["etag"]})
    assert (answer.status_code, answer.json()["version"]) == (200, first.json()["version"])


async def test_a_foreign_or_missing_thing_stays_404(admin, world, integration_id):
    async with world.caller(tenant="other") as other:
        answer = await other.get(f"/integrations/{integration_id}", headers={"If-None-Match": "*"})
    assert answer.status_code == 404


async def test_a_write_is_done_whatever_the_caller_has(admin, integration_id):
    answer = await admin.patch(
        f"/integrations/{integration_id}", json={"name": "New"}, headers={"If-None-Match": "*"}
    )
    assert (answer.status_code, answer.json()["name"]) == (200, "New")


async def test_a_head_request_is_304_as_well(admin, integration_id):
    place = f"/integrations/{integration_id}"
    etag = (await admin.get(place)).headers["etag"]
    assert (await admin.head(place, headers={"If-None-Match": etag})).status_code == 304


async def test_another_origin_may_ask_and_read_it(world, admin, integration_id):
    place, origin = f"/integrations/{integration_id}", {"Origin": CONSOLE}
    preflight = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization, if-none-match",
    }
    async with world.browser() as browser:
        allowed = await browser.options(place, headers=origin | preflight)
    etag = (await admin.get(place, headers=origin)).headers["etag"]
    answer = await admin.get(place, headers=origin | {"If-None-Match": etag})
    assert (allowed.status_code, answer.status_code) == (200, 304)
    assert answer.headers["access-control-allow-origin"] == CONSOLE
    assert "ETag" in answer.headers["access-control-expose-headers"]
