"""Connections that must not come about, seen in a browser."""

import pytest
from playwright.sync_api import expect
from tests.browser.stage import Stage
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

# Chromium says this of every page that came with an error status.
REFUSED = "Failed to load resource: the server responded with a status of {}"


def complain_only_of(visitor: Visitor, status: int) -> None:
    """The browser met that status once and has nothing else to say."""
    assert len(visitor.complaints) == 1
    assert visitor.complaints.pop().startswith(REFUSED.format(status))


def test_a_denied_consent_changes_nothing(stage: Stage, visitor: Visitor):
    seller = stage.new_seller()
    draft = stage.draft(seller, return_url=stage.return_url)
    visitor.go_on_to_wish(draft["authorise_url"])
    visitor.log_in(seller)
    visitor.deny()
    expect(visitor.page.get_by_role("heading", name="Not connected")).to_be_visible()
    complain_only_of(visitor, 400)
    visitor.page.get_by_role("button", name="Stop connecting").click()
    expect(visitor.page.locator("#result")).to_have_text("failed")
    told = {"integration_id": draft["id"], "result": "failed", "error": "access_denied"}
    assert visitor.query == {"tab": "wish", **told}
    after = stage.integration(draft["id"])
    assert (after["status"], after["auth"]["state"], after["auth"]["merchant_id"]) == ("draft", "none", None)
    assert not after["auth"]["access_token"]["set"]


def test_a_draft_cancelled_meanwhile_stays_gone(stage: Stage, visitor: Visitor):
    seller = stage.new_seller()
    draft = stage.draft(seller, return_url=stage.return_url)
    visitor.go_on_to_wish(draft["authorise_url"])
    visitor.log_in(seller)
    assert stage.caller.delete(f"/integrations/{draft['id']}").status_code == 204

    visitor.allow()
    expect(visitor.page.get_by_role("heading", name="Not connected")).to_be_visible()
    assert visitor.page.url.startswith(stage.callback_url)
    complain_only_of(visitor, 410)
    assert stage.caller.get(f"/integrations/{draft['id']}").status_code == 404
    assert draft["id"] not in [row["id"] for row in stage.items("/integrations", status="draft")]


def test_a_callback_in_another_browser_changes_nothing(stage: Stage, visitor: Visitor, stranger: Visitor):
    seller = stage.new_seller()
    draft = stage.draft(seller, return_url=stage.return_url)
    visitor.go_on_to_wish(draft["authorise_url"])
    visitor.log_in(seller)
    before = stage.integration(draft["id"])
    callback = visitor.allow_but_stay()

    stranger.page.goto(callback)
    complain_only_of(stranger, 400)
    assert stranger.heading == "Start from your system"
    assert stage.integration(draft["id"]) == before
    visitor.page.goto(callback)
    visitor.connect_this_shop()
    expect(visitor.page.locator("#result")).to_have_text("connected")


def test_another_merchant_is_refused_and_the_old_grant_stays(stage: Stage, visitor: Visitor, stranger: Visitor):
    owner = stage.new_seller(kind="public")
    other = stage.new_seller(client_id=owner.client_id)
    draft = stage.draft(owner, default_currency="GBP")
    visitor.go_on_to_wish(draft["authorise_url"])
    visitor.log_in(owner)
    visitor.allow()
    visitor.connect_this_shop()
    expect(visitor.page.get_by_role("heading", name="Connected")).to_be_visible()
    before = stage.integration(draft["id"])

    again = stage.caller.post(f"/integrations/{draft['id']}/reauthorise", json={"return_url": stage.return_url})
    stranger.page.goto(again.json()["authorise_url"])
    assert owner.merchant_id in stranger.page.locator("main").inner_text()
    stranger.go_on_to_wish(again.json()["authorise_url"])
    stranger.log_in(other)
    stranger.allow()
    expect(stranger.page.locator("main")).to_contain_text(f"Shop of {other.login}")
    complain_only_of(stranger, 409)
    stranger.page.get_by_role("button", name="Stop connecting").click()
    expect(stranger.page.locator("#result")).to_have_text("failed")
    assert (stranger.query["error"], stranger.query["integration_id"]) == ("account_mismatch", draft["id"])
    after = stage.integration(draft["id"])
    assert (after["auth"], after["status"]) == (before["auth"], "active")
    assert stage.caller.post(f"/integrations/{draft['id']}/verify").json()["ok"] is True
