"""A seller connects a shop of another marketplace in a browser, and nothing of ours was made for it."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import expect
from tests.browser.console import running_console
from tests.browser.stage import eventually
from tests.browser.visitor import Visitor
from tests.fake_channel import FakeChannel
from tests.flows.goods import START, an_order
from tests.second_channel import BAZAAR, STALL, Bazaar
from tests.two_marketplaces import a_database, a_key, serving

from channel_sync.http.bounds import ConnectionBounds
from channel_sync.http.server import answering
from channel_sync.persistence.rows.encryption import Cipher

pytestmark = pytest.mark.browser


@dataclass
class Running:
    """The service beside a test, until it is told to stop."""

    listener: socket.socket
    bazaar: Bazaar
    console: str
    key: str = ""

    def __post_init__(self) -> None:
        self.ready, self._stop = Event(), Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    async def serve(self, sqlite_file: Path, cipher: Cipher) -> None:
        database = a_database(sqlite_file, cipher)
        self.key = await a_key(database)
        both = {"wish": FakeChannel(), BAZAAR: self.bazaar}
        async with (
            serving(database, both, self.url, self.console) as app,
            answering(app, self.listener, ConnectionBounds(75, 100)),
        ):
            self.ready.set()
            await asyncio.to_thread(self._stop.wait)
        await database.close()

    def stop(self) -> None:
        self._stop.set()


@contextmanager
def consent_page(bazaar: Bazaar, service: str) -> Iterator[str]:
    """Where a seller of the second marketplace says yes: a link back to us, with a code and the state."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = httpx.URL(self.path).params
            answer = urlencode({"code": bazaar.consent(self.path, "m1"), "state": query["state"]})
            words = f"Stall {query['stall']}: <a href='{service}/bazaar/callback?{answer}'>Allow</a>"
            page = f"<!doctype html><title>Bazaar</title><link rel='icon' href='data:,'>{words}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}/consent"
        server.shutdown()
        thread.join()


@pytest.fixture
def running(sqlite_file: Path, cipher: Cipher) -> Iterator[Running]:
    with running_console() as console, closing(socket.create_server(("127.0.0.1", 0))) as listener:
        service = Running(listener, Bazaar(), console)
        with consent_page(service.bazaar, service.url) as page:
            service.bazaar.consent_page = page
            thread = Thread(target=lambda: asyncio.run(service.serve(sqlite_file, cipher)))
            thread.start()
            assert service.ready.wait(20)
            yield service
            service.stop()
            thread.join()


def test_a_seller_connects_and_orders_arrive(running: Running, visitor: Visitor):
    running.bazaar.open_shop("m1").place(*(an_order(number) for number in range(1, 6)))
    new = {
        "channel": BAZAAR,
        "name": "Stall",
        "client_id": "client-1",
        "client_secret": "a-secret-of-the-app",
        "more_credentials": {"stall": STALL},
        "default_currency": "GBP",
        "orders_from": START.isoformat(),
        "return_url": f"{running.console}/shops?tab=bazaar",
    }
    with httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {running.key}"}) as caller:
        draft = caller.post("/integrations", json=new).raise_for_status().json()

        visitor.page.goto(draft["authorise_url"])
        assert visitor.page.locator("main").inner_text().startswith("Connect Bazaar")
        visitor.page.get_by_role("button", name="Continue to Bazaar").click()
        expect(visitor.page.get_by_text(f"Stall {STALL}")).to_be_visible()
        [cookie] = visitor.page.context.cookies(f"{running.url}/bazaar/callback")
        assert cookie["name"].startswith("bazaar_attempt_")
        visitor.page.get_by_role("link", name="Allow").click()

        expect(visitor.page.locator("#result")).to_have_text("connected")
        assert visitor.query == {"tab": "bazaar", "integration_id": draft["id"], "result": "connected"}
        place = f"/integrations/{draft['id']}"
        assert caller.get(place).json()["status"] == "active"
        orders = eventually(lambda: len(caller.get("/orders").json()["items"]) == 5)
    assert orders
    assert running.bazaar.calls["renew"] == 0
