import pytest

from channel_sync.api.http.services import DocsMode
from channel_sync.main.service import contract

PLACES = ["/docs", "/openapi.json", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/start.js"]


@pytest.mark.parametrize("place", PLACES)
async def test_the_documentation_is_open_where_it_is_on(world, place):
    async with world.browser() as browser:
        assert (await browser.get(place)).status_code == 200


@pytest.mark.parametrize("place", PLACES)
async def test_it_can_ask_for_a_credential(world, place):
    world.set(docs=DocsMode.KEY)
    async with world.browser() as browser, world.caller("stock:read") as caller:
        assert (await browser.get(place)).status_code == 401
        assert (await caller.get(place)).status_code == 200


@pytest.mark.parametrize("place", PLACES)
async def test_it_can_be_off(world, place):
    world.set(docs=DocsMode.OFF)
    async with world.browser() as browser, world.caller() as caller:
        assert (await browser.get(place)).status_code == 401
        assert (await caller.get(place)).status_code == 404


async def test_the_page_loads_nothing_from_elsewhere(world):
    async with world.browser() as browser:
        page = await browser.get("/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "://" not in page.text
    assert "<script>" not in page.text


async def test_the_live_document_is_the_contract(world):
    async with world.browser() as browser:
        assert (await browser.get("/openapi.json")).json() == contract()


@pytest.mark.parametrize("name", ["page.html", "..%2Fapp.py", "__init__.py", "docs.html"])
async def test_no_other_file_can_be_named(world, name):
    async with world.browser() as browser:
        assert (await browser.get(f"/docs/{name}")).status_code in (401, 404)
