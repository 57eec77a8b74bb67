import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests.browser.chromium import ARGUMENTS, NO_BROWSER, find_chromium
from tests.browser.stage import Stage, running_stage, settings_of
from tests.browser.visitor import Visitor, new_visitor
from tests.stores import STORES

# A machine that runs other tests beside this one may take its time.
PATIENCE_MS = 20_000


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where Chromium is. Without one the tests are skipped, and in CI they fail."""
    if (found := find_chromium()) is not None:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(NO_BROWSER)
    pytest.skip(NO_BROWSER)


@pytest.fixture(scope="session", params=STORES)
def stage(
    request: pytest.FixtureRequest, chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The running parts on each kind of store, shared by all walks; each has a seller of its own."""
    with running_stage(tmp_path_factory.mktemp("stage"), settings_of(request)) as running:
        yield running


@pytest.fixture(scope="module")
def started_chromium(stage: Stage, chromium_path: str) -> Iterator[Browser]:
    """A started Chromium. As long as it is there nothing else may run an event loop: it ends before the stage."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def chromium(started_chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium at work; only one on the machine at a time, however many processes run tests."""
    with (Path(tmp_path_factory.getbasetemp()).parent / "chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield started_chromium


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Visitor]:
    """A person whose browser must have nothing to complain about at the end."""
    with new_visitor(chromium) as visitor:
        yield visitor
    assert visitor.complaints == []


@pytest.fixture
def stranger(chromium: Browser) -> Iterator[Visitor]:
    """Another person's browser, without cookies."""
    with new_visitor(chromium) as visitor:
        yield visitor
