"""Every page, as it is made: the platform's name, what tells success from failure, and a way on."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from channel_sync.api.brand import Brand
from channel_sync.api.http.services import ApiSettings
from channel_sync.api.pages.pages import Pages
from channel_sync.domain.addresses import PublicAddress
from channel_sync.domain.codes import CALLBACK_ERRORS
from channel_sync.domain.integrations import AttemptKind
from channel_sync.flows.connecting.consent import AttemptView
from channel_sync.flows.connecting.outcomes import (
    AlreadyConnected,
    Callback,
    CallbackResult,
    Candidate,
    Choice,
    Question,
    Setback,
)

HOSTILE = "<script>alert('x')</script> & \"Co\""
SETTINGS = ApiSettings(
    PublicAddress("https://sync.example", "/sync"), ("https://hub.example",), Brand("Seller Hub")
)
VIEW = AttemptView("Wish", HOSTILE, HOSTILE, HOSTILE, HOSTILE, "m1", AttemptKind.CONNECT)
CANDIDATES = tuple(Candidate(ref, "Wish", HOSTILE, HOSTILE, HOSTILE) for ref in ("one", "two"))
CONNECTED = CallbackResult("int_1", "connected", None, None, HOSTILE, HOSTILE)


def every_page(settings: ApiSettings = SETTINGS) -> dict[str, str]:
    """The HTML of each, with names as hostile as sellers may type them."""
    pages = Pages(settings)
    made = {
        "authorise": pages.authorise(VIEW, "ticket", "browser"),
        "reauthorise": pages.authorise(replace(VIEW, kind=AttemptKind.REAUTHORISE), "ticket", "browser"),
        "question": pages.question(Question("cbk_1", "m1", HOSTILE, CANDIDATES)),
        "question of a shop without a name": pages.question(Question("cbk_1", "m1", None, CANDIDATES[:1])),
        "choice": pages.choice(Choice(CANDIDATES), Callback("code", iss=HOSTILE)),
        "setback": pages.setback(Setback("account_mismatch", CANDIDATES, HOSTILE)),
        "already connected": pages.already_connected(AlreadyConnected("cbk_1", HOSTILE, HOSTILE, CANDIDATES)),
        "connected": pages.connected(CONNECTED),
        "step left": pages.connected(replace(CONNECTED, kept_until=datetime(2026, 12, 5, tzinfo=UTC))),
        "front": pages.front(with_docs=True),
        "not found": pages.not_found(),
        **{f"ended by {error}": pages.ended(error) for error in CALLBACK_ERRORS},
    }
    return {name: bytes(page.body).decode() for name, page in made.items()}


each_page = pytest.mark.parametrize("html", [pytest.param(html, id=name) for name, html in every_page().items()])


def tone_of(html: str) -> str:
    found = re.search(r'<main class="(\w+)">', html)
    assert found is not None
    return found[1]


@each_page
def test_a_page_says_whose_it_is_and_escapes_every_name(html):
    assert re.search(r"<title>[^<]+ · Seller Hub</title>", html)
    assert '<img src="/sync/brand/logo" alt=""' in html
    assert '<link rel="icon" href="/sync/brand/logo">' in html
    assert "<script" not in html
    assert " style=" not in html


@each_page
def test_a_page_leaves_nobody_without_a_way_on(html):
    assert "<button" in html or 'href="https://hub.example"' in html


def test_where_the_platform_has_no_one_address_the_page_says_in_words_where_to_go():
    pages = every_page(replace(SETTINGS, return_origins=("https://a.example", "https://b.example")))
    assert "<a " not in pages["connected"]
    assert "go back to your system" in pages["connected"]


def test_success_failure_and_what_is_left_look_different():
    pages = every_page()
    tones = {name: tone_of(pages[name]) for name in ("connected", "step left", "setback", "question", "not found")}
    assert tones == {
        "connected": "done",
        "step left": "step",
        "setback": "failed",
        "question": "ask",
        "not found": "plain",
    }
    drawings = {name: re.findall(r"<path d=\"[^\"]+\"", pages[name]) for name in tones}
    assert len({tuple(drawing) for drawing in drawings.values()}) == len(tones)
    assert {tone_of(html) for name, html in pages.items() if name.startswith("ended by")} == {"failed"}


def test_the_colour_of_the_platform_is_in_the_one_style_that_the_policy_allows():
    pages = Pages(replace(SETTINGS, brand=Brand(colour="#7a1f5c")))
    page = pages.not_found()
    assert "--accent: #7a1f5c" in bytes(page.body).decode()
    assert (
        page.headers["content-security-policy"] != Pages(SETTINGS).not_found().headers["content-security-policy"]
    )
