"""A newcomer with the simulated Wish in one tab: makes an app, connects the demo shop, watches it change."""

import pytest
from playwright.sync_api import expect
from tests.browser.stage import Seller, Stage, eventually
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_newcomer_makes_an_app_and_connects_the_demo_shop(stage: Stage, visitor: Visitor):
    page = visitor.page
    page.goto(f"{stage.wish_url}/settings/apps")
    page.get_by_label("Log-in name").fill("demo")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Name", exact=True).fill("My first app")
    page.locator("#redirect_uri").fill(stage.callback_url)
    page.get_by_role("button", name="Create app").click()
    app = page.locator("[data-app]", has_text="My first app")
    client_id = app.locator("[data-client-id]").inner_text()
    client_secret = app.locator("[data-client-secret]").inner_text()

    demo = Seller("demo", "demo", "", client_id, client_secret)
    draft = stage.draft(demo, default_currency="USD")
    page.goto(draft["authorise_url"])
    page.get_by_role("button", name="Continue to Wish").click()
    visitor.allow()
    visitor.connect_this_shop()
    expect(page.locator("main")).to_contain_text("Demo shop is connected to Wish of demo.")
    orders = eventually(lambda: stage.items("/orders", integration_id=draft["id"]))
    assert len(orders) == 25

    page.goto(f"{stage.wish_url}/settings/apps")
    expect(page.locator("[data-app]", has_text="My first app")).to_contain_text("allowed")


def test_the_shop_page_shows_a_new_order_and_the_stock_we_pushed(stage: Stage, visitor: Visitor):
    seller = stage.new_seller()
    integration_id = _connect(stage, seller)
    page = visitor.page
    page.goto(f"{stage.wish_url}/?merchant_id={seller.merchant_id}")
    page.get_by_role("button", name="Place an order").click()
    row = page.locator("tbody tr[data-key]", has=page.locator("code"))
    expect(row).to_have_count(1)
    channel_order_id = row.get_attribute("data-key")

    stage.caller.post(f"/integrations/{integration_id}/runs", json={"kind": "orders"}).raise_for_status()
    orders = eventually(lambda: stage.items("/orders", integration_id=integration_id))
    assert [order["channel_order_id"] for order in orders] == [channel_order_id]

    sku = eventually(lambda: stage.items(f"/integrations/{integration_id}/listings"))[0]["sku"]
    stage.caller.put("/stock", json={"items": [{"sku": sku, "available": 137}]}).raise_for_status()
    line = page.locator("tr", has=page.get_by_role("cell", name=sku, exact=True))
    expect(line).to_contain_text("137")


def _connect(stage: Stage, seller: Seller) -> str:
    """The id of an active integration, made with pasted tokens."""
    draft = stage.draft(seller, default_currency="USD")
    app = {"client_id": seller.client_id, "client_secret": seller.client_secret}
    granted = stage.control("/grants", client_id=seller.client_id, merchant_id=seller.merchant_id)
    tokens = {name: granted[name] for name in ("access_token", "refresh_token")}
    stage.caller.put(f"/integrations/{draft['id']}/credentials", json={**app, **tokens}).raise_for_status()
    return str(draft["id"])
