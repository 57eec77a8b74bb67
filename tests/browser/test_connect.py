"""A seller connects a Wish account in a browser."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from tests.browser.stage import Stage, eventually
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

# What the platform's page does with the result: the service is another origin, so the browser asks it first.
CHOOSE_CURRENCY = """async ([url, key]) => {
  const headers = {"Authorization": `Bearer ${key}`, "Content-Type": "application/json"};
  const body = JSON.stringify({default_currency: "GBP"});
  const answer = await fetch(url, {method: "PATCH", headers, body});
  return {status: answer.status, etag: answer.headers.get("ETag"), integration: await answer.json()};
}"""


def test_a_seller_connects_and_orders_arrive(stage: Stage, visitor: Visitor):
    seller = stage.new_seller(orders=3)
    draft = stage.draft(seller, return_url=stage.return_url)

    visitor.page.goto(draft["authorise_url"])
    seen = visitor.page.locator("main").inner_text()
    assert seen.startswith("Connect Wish")
    assert f"Wish of {seller.login}" in seen
    assert seller.client_id in seen
    assert seller.client_secret not in visitor.page.content()

    visitor.page.get_by_role("button", name="Continue to Wish").click()
    visitor.log_in(seller)
    visitor.allow()
    expect(visitor.page.get_by_role("heading", name="Connect this shop?")).to_be_visible()
    asked = visitor.page.locator("main").inner_text()
    assert all(name in asked for name in (f"Shop of {seller.login}", seller.merchant_id, "acme"))
    assert stage.integration(draft["id"])["auth"]["state"] == "pending"
    visitor.connect_this_shop()
    expect(visitor.page.locator("#result")).to_have_text("connected")
    assert visitor.page.url.startswith(f"{stage.console_url}/shops?")
    assert visitor.query == {"tab": "wish", "integration_id": draft["id"], "result": "connected"}
    assert stage.integration(draft["id"])["auth"]["state"] == "connected"
    assert draft["id"] not in [row["id"] for row in stage.items("/integrations")]

    patched = visitor.page.evaluate(
        CHOOSE_CURRENCY, [f"{stage.service.url}/integrations/{draft['id']}", stage.key]
    )
    assert patched["status"] == 200
    assert patched["etag"]
    rows = [row for row in stage.items("/integrations") if row["id"] == draft["id"]]
    assert [(row["status"], row["enabled"], row["default_currency"]) for row in rows] == [("active", True, "GBP")]
    orders = eventually(lambda: stage.items("/orders", integration_id=draft["id"]))
    assert len(orders) == 3


def test_the_browser_carries_one_shy_cookie_and_leaks_no_link(stage: Stage, visitor: Visitor):
    seller = stage.new_seller()
    draft = stage.draft(seller, return_url=stage.return_url)
    assert draft["authorise_url"].startswith(f"{stage.service.url}/wish/authorise?ticket=")
    visitor.page.goto(draft["authorise_url"])
    assert visitor.page.context.cookies(stage.callback_url) == []

    visitor.page.get_by_role("button", name="Continue to Wish").click()
    visitor.log_in(seller)
    cookie, *others = [
        one for one in visitor.page.context.cookies(stage.callback_url) if one["name"] != "wish_session"
    ]
    assert others == []
    assert cookie["name"].startswith("wish_attempt_")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    visitor.allow()
    visitor.connect_this_shop()
    expect(visitor.page.locator("#result")).to_have_text("connected")

    ticket = draft["authorise_url"].rsplit("=", 1)[1]
    origins = {f"{parts.scheme}://{parts.netloc}" for parts in (urlsplit(one.url) for one in visitor.requests)}
    assert origins == {stage.service.url, stage.wish_url, stage.console_url}
    abroad = [request for request in visitor.requests if not request.url.startswith(stage.service.url)]
    assert not [request for request in abroad if ticket in f"{request.url} {request.all_headers()}"]
    assert not [request for request in abroad if cookie["value"] in str(request.all_headers())]


def test_without_a_return_url_it_ends_in_a_small_page_of_our_own(stage: Stage, visitor: Visitor):
    seller = stage.new_seller()
    draft = stage.draft(seller, default_currency="EUR")
    visitor.go_on_to_wish(draft["authorise_url"])
    visitor.log_in(seller)
    visitor.allow()
    visitor.connect_this_shop()
    expect(visitor.page.locator("main")).to_contain_text(f"Shop of {seller.login} is connected")
    assert visitor.heading == "Connected"
    assert f"Wish of {seller.login}" in visitor.page.locator("main").inner_text()
    assert stage.integration(draft["id"])["status"] == "active"


def test_loading_the_last_page_again_says_the_same_and_asks_wish_nothing(stage: Stage, visitor: Visitor):
    seller = stage.new_seller()
    draft = stage.draft(seller, default_currency="EUR")
    visitor.go_on_to_wish(draft["authorise_url"])
    visitor.log_in(seller)
    callback = visitor.allow_but_stay()
    visitor.page.goto(callback)
    asked = stage.token_calls()
    visitor.page.reload()
    visitor.connect_this_shop()
    expect(visitor.page.get_by_role("heading", name="Connected")).to_be_visible()
    visitor.page.goto(callback)
    assert visitor.heading == "Connected"
    assert stage.token_calls() == asked


def test_whoever_logs_in_at_wish_first_and_comes_back_may_go_on(stage: Stage, visitor: Visitor):
    seller = stage.new_seller()
    draft = stage.draft(seller, default_currency="EUR")
    visitor.page.goto(draft["authorise_url"])
    visitor.page.get_by_role("button", name="Continue to Wish").dblclick()
    expect(visitor.page).to_have_title("Log in · Simulated Wish")
    visitor.page.go_back()
    visitor.page.get_by_role("button", name="Continue to Wish").click()
    visitor.log_in(seller)
    visitor.allow()
    visitor.connect_this_shop()
    expect(visitor.page.get_by_role("heading", name="Connected")).to_be_visible()


def test_two_connections_in_one_browser_get_their_own_shops(stage: Stage, visitor: Visitor):
    sellers = [stage.new_seller() for _ in range(2)]
    drafts = [stage.draft(seller, default_currency="EUR") for seller in sellers]
    for draft in drafts:
        visitor.go_on_to_wish(draft["authorise_url"])
    for draft, seller in zip(drafts, sellers, strict=True):
        visitor.consent_again(draft["authorise_url"], seller)
        if draft is drafts[0]:
            expect(visitor.page.get_by_role("heading", name="Which connection is this for?")).to_be_visible()
            visitor.page.get_by_role("button", name=f"It is for Wish of {seller.login}").click()
        visitor.connect_this_shop()
        expect(visitor.page.get_by_role("heading", name="Connected")).to_be_visible()
    shops = [stage.integration(draft["id"])["auth"]["merchant_id"] for draft in drafts]
    assert shops == [seller.merchant_id for seller in sellers]


def test_a_state_that_comes_back_needs_no_question(stage: Stage, visitor: Visitor):
    seller = stage.new_seller()
    draft = stage.draft(seller, default_currency="EUR")
    visitor.go_on_to_wish(draft["authorise_url"])
    visitor.log_in(seller)
    with stage.switched(echo_state=True):
        visitor.allow()
        expect(visitor.page.get_by_role("heading", name="Connected")).to_be_visible()
