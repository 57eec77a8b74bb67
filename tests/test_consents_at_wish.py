"""Consents at the simulated Wish on a socket, where a new one ends the tokens before, or does not."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.live_shop import LiveShop, new_shop
from tests.processes import Deployment, ServerProcess, api, simulated_wish, wait_until

_NUMBERS = count(1)
REVOKES = pytest.mark.parametrize("revokes", [True, False], ids=["ends earlier tokens", "keeps them"])


@dataclass
class Town:
    """The service, the simulated Wish, and two tenants of the service."""

    service: ServerProcess
    controls: httpx.Client
    acme: httpx.Client
    other: httpx.Client

    def shop(self, revokes: bool) -> LiveShop:
        """A new merchant whose app comes back to the service."""
        shop = new_shop(self.controls, f"seller-{next(_NUMBERS)}")
        shop.switch(new_consent_revokes=revokes)
        app = {"redirect_uri": f"{self.service.url}/wish/callback", "owner_id": shop.merchant_id}
        app = shop.control("POST", "/apps", **app)
        shop.client_id, shop.client_secret = app["client_id"], app["client_secret"]
        return shop

    def consent(self, tenant: httpx.Client, shop: LiveShop, name: str) -> httpx.Response:
        """What the browser of a seller ends on who adds the shop to a new integration."""
        new = {"channel": "wish", "name": name, "environment": "sandbox", "default_currency": "USD"}
        app = {"client_id": shop.client_id, "client_secret": shop.client_secret}
        draft = tenant.post("/integrations", json={**new, **app})
        assert draft.status_code == 201, draft.text
        with httpx.Client(base_url=self.service.url, timeout=30) as browser:
            departure = browser.post(draft.json()["authorise_url"])
            state = parse_qs(urlsplit(departure.headers["location"]).query)["state"][0]
            pair = {"client_id": shop.client_id, "merchant_id": shop.merchant_id}
            code = shop.control("POST", "/codes", **pair)["code"]
            return browser.get("/wish/callback", params={"code": code, "state": state})

    def integration(self, tenant: httpx.Client, name: str) -> dict[str, Any]:
        """The tenant's integration of that name."""
        [found] = tenant.get("/integrations", params={"q": name}).json()["items"]
        integration: dict[str, Any] = found
        return integration


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with ExitStack() as open_things:
        wish = open_things.enter_context(simulated_wish(folder))
        controls = open_things.enter_context(httpx.Client(base_url=wish.url, timeout=30))
        deployment = Deployment(folder, {"CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url})
        deployment.command("migrate")
        keys = [
            deployment.command("keys", "create", "--tenant", tenant, "--scopes", "admin").split()[-1]
            for tenant in ("acme", "other")
        ]
        service = deployment.serve()
        open_things.callback(service.stop)
        tenants = [open_things.enter_context(api(service, key)) for key in keys]
        yield Town(service, controls, *tenants)


@REVOKES
def test_added_a_second_time_the_shop_goes_on_working(town: Town, revokes: bool):
    shop = town.shop(revokes)
    assert "is connected to First" in town.consent(town.acme, shop, f"First {shop.merchant_id}").text

    again = town.consent(town.acme, shop, f"Second {shop.merchant_id}")

    assert f"is connected to First {shop.merchant_id}" in again.text
    first = town.integration(town.acme, f"First {shop.merchant_id}")
    assert first["status"] == "active"
    run = town.acme.post(f"/integrations/{first['id']}/runs", json={"kind": "orders"}).json()
    wait_until(lambda: _is_done(town.acme, run["id"]), "the run did not end")
    assert town.acme.get(f"/runs/{run['id']}").json()["error"] is None


@REVOKES
def test_added_by_another_tenant_the_shop_says_at_once_if_it_stopped(town: Town, revokes: bool):
    shop = town.shop(revokes)
    town.consent(town.acme, shop, f"Ours {shop.merchant_id}")

    refused = town.consent(town.other, shop, f"Theirs {shop.merchant_id}")

    assert (refused.status_code, "Ours" in refused.text) == (409, False)
    expected = "needs_reauth" if revokes else "active"
    wait_until(lambda: town.integration(town.acme, f"Ours {shop.merchant_id}")["status"] == expected, "it did not")
    assert _drafts(town.other, shop)[0]["auth"]["access_token"]["set"] is False


def _is_done(tenant: httpx.Client, run_id: str) -> bool:
    return bool(tenant.get(f"/runs/{run_id}").json()["status"] == "finished")


def _drafts(tenant: httpx.Client, shop: LiveShop) -> list[dict[str, Any]]:
    query = {"status": "draft", "q": shop.merchant_id}
    found: list[dict[str, Any]] = tenant.get("/integrations", params=query).json()["items"]
    return found
