"""Sellers connect by the platform's own app: by one click in the platform, or from Wish's own store."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from tests.browser.stage import APP_SECRET, Seller, Stage, eventually, running_stage, settings_of
from tests.browser.visitor import Visitor
from tests.stores import STORES

pytestmark = pytest.mark.browser

# What the platform's page does with the claim in its address: it asks whose shop it is, and connects it.
ASK = """async ([url, key, body]) => {
  const headers = {"Authorization": `Bearer ${key}`, "Content-Type": "application/json"};
  const answer = await fetch(url, {method: "POST", headers, body: JSON.stringify(body)});
  return {status: answer.status, body: await answer.json()};
}"""


@pytest.fixture(scope="module", params=STORES)
def stage(
    request: pytest.FixtureRequest, chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The running parts, with an app of the platform at Wish."""
    folder = tmp_path_factory.mktemp("one-click")
    with running_stage(folder, settings_of(request, "module"), platform_app=True) as running:
        yield running


def seller_of(stage: Stage, **members: Any) -> Seller:
    """A merchant without an app of their own."""
    return stage.new_seller(client_id=stage.platform_app["client_id"], **members)


def new(**members: Any) -> dict[str, Any]:
    return {"channel": "wish", "environment": "sandbox", **members}


def add_app(stage: Stage, visitor: Visitor, seller: Seller) -> str:
    """The seller chooses Add app in Wish's store, and consents; the claim that the browser brings the platform."""
    visitor.page.goto(f"{stage.wish_url}/app-store")
    visitor.page.get_by_label("Log-in name").fill(seller.login)
    visitor.page.get_by_label("Password").fill(seller.password)
    visitor.page.get_by_role("button", name="Log in").click()
    visitor.page.get_by_role("button", name="Add app").click()
    visitor.allow()
    expect(visitor.page.get_by_role("heading", name="Your shops")).to_be_visible()
    assert visitor.page.url.startswith(f"{stage.console_url}/added?channel=wish&claim=")
    return parse_qs(urlsplit(visitor.page.url).query)["claim"][0]


def ask(stage: Stage, visitor: Visitor, place: str, body: dict[str, Any]) -> Any:
    """What the platform's page is answered."""
    return visitor.page.evaluate(ASK, [f"{stage.service.url}{place}", stage.key, body])


def test_a_seller_connects_without_pasting_anything(stage: Stage, visitor: Visitor):
    seller = seller_of(stage, orders=3)
    asked = stage.caller.get("/channels", params={"environment": "sandbox"}).json()["items"][0]
    assert asked["credential_fields"] == []
    draft = stage.caller.post("/integrations", json=new(name="One click", default_currency="GBP")).json()

    visitor.go_on_to_wish(draft["authorise_url"])
    visitor.log_in(seller)
    visitor.allow()
    visitor.connect_this_shop()

    expect(visitor.page.get_by_role("heading", name="Connected")).to_be_visible()
    integration = stage.integration(draft["id"])
    assert (integration["status"], integration["auth"]["platform_app"]) == ("active", True)
    assert len(eventually(lambda: stage.items("/orders", integration_id=draft["id"]))) == 3


def test_a_seller_begins_in_the_store_and_the_platform_completes_it(stage: Stage, visitor: Visitor):
    seller = seller_of(stage, orders=2)

    claim = add_app(stage, visitor, seller)
    shown = ask(stage, visitor, "/claims/preview", {"claim": claim})
    claimed = {"channel": "wish", "name": "Added", "claim": claim, "default_currency": "GBP"}
    made = ask(stage, visitor, "/integrations", claimed)

    assert (shown["status"], shown["body"]["shop_name"]) == (200, f"Shop of {seller.login}")
    assert (made["status"], made["body"]["status"]) == (201, "active")
    assert made["body"]["auth"]["merchant_id"] == seller.merchant_id
    orders = eventually(lambda: stage.items("/orders", integration_id=made["body"]["id"]))
    assert len(orders) == 2


def test_who_adds_the_app_again_keeps_the_shop_that_is_connected(stage: Stage, visitor: Visitor):
    """The second consent ends the tokens of the first."""
    seller = seller_of(stage)
    claimed = new(name="Kept", claim=add_app(stage, visitor, seller), default_currency="GBP")
    integration = stage.caller.post("/integrations", json=claimed).json()
    visitor.page.context.clear_cookies()

    claim = add_app(stage, visitor, seller)

    shown = stage.caller.post("/claims/preview", json={"claim": claim}).json()
    assert (shown["error"], shown["integration_id"]) == ("account_already_connected", integration["id"])
    assert stage.caller.post(f"/integrations/{integration['id']}/verify").json()["ok"]


def test_a_secret_is_exchanged_while_everything_runs(stage: Stage, visitor: Visitor):
    seller = seller_of(stage)
    claimed = new(name="Goes on", claim=add_app(stage, visitor, seller), default_currency="GBP")
    integration = stage.caller.post("/integrations", json=claimed).json()
    at_wish = f"/_control/apps/{stage.platform_app['client_id']}/secrets"
    newer = stage.controls.post(at_wish).raise_for_status().json()["client_secret"]
    stage.controls.delete(f"{at_wish}/oldest").raise_for_status()

    def works() -> bool:
        return bool(stage.caller.post(f"/integrations/{integration['id']}/verify").json()["ok"])

    assert not works()
    assert stage.integration(integration["id"])["status"] == "active"
    (stage.secrets / APP_SECRET).write_text(newer)
    assert eventually(works)
