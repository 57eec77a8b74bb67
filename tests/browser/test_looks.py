"""How the pages look to people: on a small screen, at night, with the keyboard."""

import pytest
from playwright.sync_api import Browser
from tests.browser.stage import Stage
from tests.browser.visitor import Visitor, new_visitor

from channel_sync.domain.colours import contrast

pytestmark = pytest.mark.browser

LONG = "Averylongname" * 15
COLOURS = """() => {
  const hex = (part) => (+part).toString(16).padStart(2, "0");
  const rgb = (text) => "#" + text.match(/\\d+/g).slice(0, 3).map(hex).join("");
  const of = (selector) => getComputedStyle(document.querySelector(selector));
  const ring = getComputedStyle(document.activeElement);
  return {
    card: rgb(of("main").backgroundColor), page: rgb(of("body").backgroundColor), ink: rgb(of("body").color),
    small: rgb(of(".small").color), ring: rgb(ring.outlineColor), width: parseFloat(ring.outlineWidth),
    style: ring.outlineStyle, button: rgb(of("button").backgroundColor), label: rgb(of("button").color),
  };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_the_ring_of_the_keyboard_stand_out_by_day_and_by_night(
    stage: Stage, chromium: Browser, scheme: str
):
    draft = stage.draft(stage.new_seller())
    with new_visitor(chromium) as visitor:
        visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        visitor.page.goto(draft["authorise_url"])
        visitor.page.keyboard.press("Tab")
        seen = visitor.page.evaluate(COLOURS)
        assert visitor.complaints == []
    assert (contrast(seen["page"], "#ffffff") > 10) == (scheme == "dark")
    assert (seen["style"], seen["width"] >= 2) == ("solid", True)
    assert contrast(seen["ring"], seen["card"]) >= 3
    assert contrast(seen["ink"], seen["card"]) >= 7
    assert contrast(seen["small"], seen["card"]) >= 4.5
    assert contrast(seen["label"], seen["button"]) >= 4.5


@pytest.mark.parametrize("width", [1280, 375])
def test_a_long_name_wraps_and_nothing_is_cut_off(stage: Stage, visitor: Visitor, width: int):
    draft = stage.draft(stage.new_seller(), name=LONG)
    visitor.page.set_viewport_size({"width": width, "height": 760})
    visitor.page.goto(draft["authorise_url"])
    assert LONG in visitor.page.locator("main").inner_text()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_front_door_and_a_mistyped_address_are_pages(stage: Stage, visitor: Visitor):
    visitor.page.goto(stage.service.url)
    assert visitor.heading == "channel-sync"
    visitor.page.get_by_role("link", name="Go to").click()
    assert visitor.page.url.startswith(stage.console_url)
    visitor.page.goto(f"{stage.service.url}/wish/autorise?ticket=x")
    assert visitor.heading == "Nothing here"
    assert visitor.complaints.pop().startswith(
        "Failed to load resource: the server responded with a status of 404"
    )
