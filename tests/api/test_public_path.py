"""Behind a proxy that cuts a path off, every address that we give out leads back to us."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from tests.api.world import NEW_INTEGRATION, query_of

from channel_sync.domain.addresses import public_address

HUB = "https://hub.example"
PREFIXES = ["/sync", "/a/b", "/integrations", "/wish", "/docs"]


class Proxy:
    """Passes on what lies below the prefix, without it; all else is somebody else's."""

    def __init__(self, app, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope, receive, send) -> None:
        path = scope["path"]
        if scope["type"] == "http":
            assert path.startswith(f"{self._prefix}/"), f"{path} is not ours"
            below = path.removeprefix(self._prefix)
            scope = {**scope, "path": below, "raw_path": below.encode()}
        await self._app(scope, receive, send)


@pytest.fixture(params=PREFIXES)
def prefix(request) -> str:
    return str(request.param)


@pytest.fixture
async def hub(world, prefix) -> AsyncIterator[httpx.AsyncClient]:
    """A caller, who is a browser too, at the proxy."""
    world.set(address=public_address(f"{HUB}{prefix}"))
    transport = httpx.ASGITransport(Proxy(world.app, prefix))
    async with httpx.AsyncClient(transport=transport, base_url=f"{HUB}{prefix}/") as client:
        client.headers["Authorization"] = f"Bearer {await world.key()}"
        yield client


def at_hub(href: str) -> str:
    """Where a client that talks to the hub finds what an answer names."""
    return str(httpx.URL(HUB).join(href))


async def connected(world, hub) -> str:
    world.channel.open_shop("m1")
    draft = (await hub.post("integrations", json=NEW_INTEGRATION)).json()
    departure = await hub.post(draft["authorise_url"])
    consent_url = departure.headers["location"]
    code = world.channel.consent(consent_url, "m1")
    redirect_url = (await hub.get("channels")).json()["items"][0]["redirect_url"]
    done = await hub.get(redirect_url, params={"code": code, "state": query_of(consent_url)["state"]})
    assert query_of(done.headers["location"])["result"] == "connected"
    return str(draft["id"])


async def test_the_way_to_the_marketplace_and_back_stays_below_the_path(world, hub, prefix):
    draft = (await hub.post("integrations", json=NEW_INTEGRATION)).json()
    assert draft["authorise_url"].startswith(f"{HUB}{prefix}/wish/authorise?ticket=")
    assert (await hub.get(draft["authorise_url"])).status_code == 200
    integration_id = await connected(world, hub)
    assert (await hub.get(f"integrations/{integration_id}")).json()["auth"]["state"] == "connected"


async def test_what_a_location_names_can_be_read(hub):
    created = await hub.post("integrations", json=NEW_INTEGRATION)
    found = await hub.get(at_hub(created.headers["location"]))
    assert (created.status_code, found.json()["id"]) == (201, created.json()["id"])
    key = await hub.post("api-keys", json={"name": "k", "scopes": ["admin"]})
    assert (await hub.get(at_hub(key.headers["location"]))).status_code == 200


async def test_the_next_actions_of_answers_refusals_and_runs_can_be_called(world, hub):
    integration_id = await connected(world, hub)
    place = f"integrations/{integration_id}"
    step = (await hub.get(place)).json()["next_action"]
    active = await hub.request(step["method"], at_hub(step["href"]), json={"default_currency": "GBP"})
    assert active.json()["status"] == "active"
    run = await hub.post(f"{place}/runs", json={"kind": "orders"})
    assert (await hub.get(at_hub(run.headers["location"]))).json()["id"] == run.json()["id"]
    await hub.put(f"{place}/status", json={"enabled": False})
    for refusal in (await hub.get(f"{place}/status"), await hub.post(f"{place}/runs", json={"kind": "orders"})):
        helps = refusal.json()["next_action"]
        done = await hub.request(helps["method"], at_hub(helps["href"]), json={"enabled": False})
        assert done.status_code == 200


async def test_the_logo_and_the_documentation_with_all_its_parts_are_found(hub):
    channel = (await hub.get("channels")).json()["items"][0]
    assert (await hub.get(channel["logo_url"])).status_code == 200
    page = await hub.get("docs")
    parts = [part.split('"')[0] for tag in ('href="', 'src="') for part in page.text.split(tag)[1:]]
    assert len(parts) == 4
    for part in parts:
        assert (await hub.get(str(page.url.join(part)))).status_code == 200


async def test_the_live_document_names_the_path_as_its_server(hub, prefix):
    page = (await hub.get("docs")).url
    document = (await hub.get(str(page.join("openapi.json")))).json()
    assert document["servers"] == [{"url": prefix}]
    assert (await hub.get(at_hub(document["servers"][0]["url"] + "/integrations"))).status_code == 200


async def test_no_address_of_ours_is_without_the_path(world, hub, prefix):
    integration_id = await connected(world, hub)
    for place in ("channels", "integrations?status=draft", f"integrations/{integration_id}"):
        text = (await hub.get(place)).text
        urls = [part.split('"')[0] for part in text.split(HUB)[1:]]
        assert urls
        assert all(urlsplit(url).path.startswith(f"{prefix}/") for url in urls)
