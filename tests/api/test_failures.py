"""What callers and the log see when something is broken or away."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs
from tests.api.world import World

from channel_sync.api.app import create_api
from channel_sync.persistence.database import Database
from channel_sync.persistence.rows.encryption import Cipher

pytestmark = pytest.mark.every_store

CANARY = "CANARY-a1b2c3d4e5f6"
STOCK = {"items": [{"sku": "A", "available": 1}]}


class Broken:
    """A flow with a bug."""

    async def put(self, tenant: str, items: object, *_: object) -> None:
        raise RuntimeError(f"{CANARY} {items}")


async def test_a_bug_is_a_bare_500_that_tells_nothing(world):
    app = create_api(replace(world.services(), put_stock=Broken()))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {await world.key()}", "X-Request-Id": "mine"}
    body = {"items": [{"sku": CANARY, "available": 1}]}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        with capture_logs() as lines:
            answer = await client.put("/stock", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"], answer.json()["request_id"]) == (
        500,
        "internal_error",
        "mine",
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert CANARY not in answer.text + json.dumps(lines)
    broke = next(line for line in lines if line["event"] == "request_broke")
    assert broke["error"] == "RuntimeError"
    assert any("test_failures.py" in frame for frame in broke["frames"])


@pytest.fixture
async def hurried(sqlite_file: Path, cipher: Cipher) -> World:
    """A deployment that does not wait long for its turn to write."""
    database = Database(f"sqlite:///{sqlite_file}", cipher, patience_s=0.2)
    return World(database)


async def test_while_the_store_takes_no_writes_they_are_503_and_reads_go_on(hurried, sqlite_file):
    async with hurried.caller() as caller:
        other = sqlite3.connect(sqlite_file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refused = await caller.put("/stock", json=STOCK)
        keyed = await caller.post("/orders/erase", json={"ids": ["x"]}, headers={"Idempotency-Key": "k"})
        read = await caller.get("/stock")
        other.execute("ROLLBACK")
        other.close()
        again = await caller.put("/stock", json=STOCK)
    await hurried.database.close()
    assert [(one.status_code, one.json()["code"]) for one in (refused, keyed)] == [
        (503, "storage_unavailable")
    ] * 2
    assert refused.headers["retry-after"] == "2"
    assert (read.status_code, again.status_code) == (200, 200)


async def test_a_request_is_one_log_line_by_its_template(world, admin):
    with capture_logs() as lines:
        await admin.get(f"/orders/{CANARY}")
        await admin.get(f"/stock/{CANARY}")
        await admin.get("/integrations", params={"q": CANARY})
        await admin.get(f"/{CANARY}")
    requests = [line for line in lines if line["event"] == "request"]
    assert [line["route"] for line in requests] == ["/orders/{order_id}", "/stock/{sku}", "/integrations", None]
    assert [line["status"] for line in requests] == [404, 404, 200, 404]
    assert all(line["duration_ms"] >= 0 and line["key_id"].startswith("key_") for line in requests)
    assert CANARY not in json.dumps(lines)


async def test_a_request_line_says_whose_it_was_and_what_about(world, admin):
    integration = await world.connect(admin)
    odd = f"int_{'z' * 25}"
    async with world.browser() as stranger:
        with capture_logs() as lines:
            await admin.get(f"/integrations/{integration['id']}/listings?limit=1")
            await admin.get(f"/integrations/{odd}")
            await admin.get("/stock/jane@example.com")
            await stranger.get(f"/integrations/{integration['id']}")
    told = [(line["tenant"], line["object_id"]) for line in lines if line["event"] == "request"]
    assert told == [("acme", integration["id"]), ("acme", None), ("acme", None), (None, None)]


async def test_no_code_state_ticket_or_secret_is_logged(world, admin):
    with capture_logs() as lines:
        integration = await world.walk(admin, client_secret=CANARY)
        await admin.put(f"/integrations/{integration['id']}/credentials", json={"client_secret": CANARY})
        async with world.browser() as browser:
            await browser.get(f"/wish/callback?code={CANARY}&state={CANARY}")
            await browser.get(f"/wish/authorise?ticket={CANARY}")
            await browser.get("/runs", headers={"Authorization": f"Bearer csk_{CANARY}"})
    assert len(lines) >= 7
    assert CANARY not in json.dumps(lines, default=str)
