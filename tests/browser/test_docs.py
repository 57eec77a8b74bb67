"""The interactive documentation, with no network but this machine."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.stage import Stage
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_the_documentation_renders_from_our_own_files(stage: Stage, visitor: Visitor, tmp_path: Path):
    visitor.page.goto(f"{stage.service.url}/docs")
    operations = visitor.page.locator(".swagger-ui .opblock")
    expect(operations.first).to_be_visible()
    document = stage.caller.get("/openapi.json").json()
    assert operations.count() == sum(len(methods) for methods in document["paths"].values())
    expect(visitor.page.get_by_role("button", name="Authorize").first).to_be_visible()
    assert {request.url.split("/")[2] for request in visitor.requests} == {stage.service.url.split("/")[2]}
    picture = visitor.page.screenshot(path=tmp_path / "docs.png")
    assert len(picture) > 20_000


def test_a_call_can_be_tried_with_a_key(stage: Stage, visitor: Visitor):
    page = visitor.page
    page.goto(f"{stage.service.url}/docs")
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_role("textbox", name="auth-bearer-value").fill(stage.key)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close", exact=True).last.click()
    operation = page.locator("#operations-channels-list_channels")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("200")
    expect(answer).to_contain_text(stage.callback_url)
