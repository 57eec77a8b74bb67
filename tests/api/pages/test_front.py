"""What a browser sees that no link has sent here, and what everybody else gets instead."""

import pytest
from tests.api.world import CONSOLE

from channel_sync.api.brand import Brand, Logo
from channel_sync.api.http.services import DocsMode

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
UNKNOWN_ATTEMPT = [
    "/integrationz",
    "/wish/authorize",
    "/wish/",
    "/dogs",
    "/integrations/int_1/orders",
    "/..%2f",
    "/%00",
]


async def test_a_person_at_the_front_door_learns_what_this_is_and_where_to_go(world):
    world.set(brand=Brand(name="Seller <Hub>"))
    async with world.browser() as browser:
        page = await browser.get("/", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Seller &lt;Hub&gt;" in page.text
    assert f'href="{CONSOLE}"' in page.text
    assert 'href="/docs"' in page.text


@pytest.mark.parametrize("mode", [DocsMode.KEY, DocsMode.OFF])
async def test_documentation_that_is_not_open_is_not_shown_the_way_to(world, mode):
    world.set(docs=mode, return_origins=())
    async with world.browser() as browser:
        page = await browser.get("/", headers=BROWSER)
    assert 'href="/docs"' not in page.text
    assert "<a " not in page.text


@pytest.mark.parametrize("place", UNKNOWN_ATTEMPT)
async def test_a_mistyped_address_is_a_page_without_echo_for_a_person(world, place):
    async with world.browser() as browser:
        page = await browser.get(f"{place}?CANARY", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; img-src 'self'; style-src")
    assert place not in page.text
    assert "CANARY" not in page.text


@pytest.mark.parametrize("place", ["/", *UNKNOWN_ATTEMPT[:4]])
async def test_everybody_else_gets_the_problem_as_before(world, admin, place):
    async with world.browser() as client:
        unknown = await client.get(place)
        posted = await client.post(place, headers=BROWSER)
    known = await admin.get(place, headers=BROWSER)
    for answer, status in ((unknown, 401), (posted, 401), (known, 404)):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_an_operation_looked_at_by_a_person_still_asks_for_a_credential(world):
    async with world.browser() as browser:
        answers = [await browser.get(place, headers=BROWSER) for place in ("/integrations", "/orders/ord_1")]
    assert {answer.status_code for answer in answers} == {401}


async def test_the_logo_is_the_platforms_or_ours_and_can_run_nothing(world):
    world.set(brand=Brand(logo=Logo(b"<svg onload='x'/>", "image/svg+xml")))
    async with world.browser() as browser:
        logo = await browser.get("/brand/logo")
    assert (logo.content, logo.headers["content-type"]) == (b"<svg onload='x'/>", "image/svg+xml")
    assert "sandbox" in logo.headers["content-security-policy"]
