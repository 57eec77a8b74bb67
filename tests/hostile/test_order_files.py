"""A long history by Wish's download job: the rows are those that pages make, and no file costs an order."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import text
from tests.channels.factories import BASE
from tests.fake_channel import QUICK_RULES
from tests.flows.workshop import TENANT, Workshop
from tests.hostile import replies
from tests.hostile.hostile_wish import API, FILE, envelope
from tests.hostile.stage import FIRST, HostileOrders, a_service, second
from tests.hostile.watch import watched

from channel_sync.domain.integrations import Integration
from channel_sync.domain.runs import Outcome, Run
from channel_sync.persistence.database import Database
from channel_sync.persistence.rows.sealed_columns import ORDER
from channel_sync.persistence.sql.paging import PageRequest

COUNT = 1300
WINDOW: dict[str, Any] = {"window_from": FIRST, "window_to": FIRST + timedelta(seconds=COUNT)}
JOB = ("GET", f"{API}/orders/bulk_get/job1")
# What differs from one store to the next, and what is sealed for that.
OF_THE_STORE = ("id", "account_id", "position", "stored_at", "personal")


@dataclass
class WishWithFiles(HostileOrders):
    """Its job has the orders behind the first page's, in a file that is written as a test likes."""

    content: bytes = b""
    files_asked_for: list[str] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/files/"):
            assert "Authorization" not in request.headers
            self.files_asked_for.append(request.url.path)
            return httpx.Response(200, content=self.content)
        return super().answer(request)

    def offer(self, total: object, *urls: str) -> None:
        """A job that is ready, with so many orders."""
        job = {"id": "job1", "status": "READY", "total_count": total, "file_urls": list(urls) or [BASE + FILE]}
        self.spoilt[JOB] = envelope(json.dumps(job).encode())


def orders() -> list[tuple[str, bytes]]:
    rows = [(second(number), replies.order(number, second(number))) for number in range(COUNT)]
    rows[7][1]["full_address"]["shipping_detail"]["name"] = 'Zoë "Z",\n\nsecond line'
    return [(at, msgspec.json.encode(order)) for at, order in rows]


ORDERS = orders()
TEXTS = [text for _, text in ORDERS]
LATER = TEXTS[499:]


def as_table(texts: Sequence[bytes]) -> bytes:
    written, documents = io.StringIO(), [json.loads(text) for text in texts]
    table = csv.writer(written)
    table.writerow(documents[0])
    for one in documents:
        table.writerow([v if isinstance(v, str) else msgspec.json.encode(v).decode() for v in one.values()])
    return written.getvalue().encode()


WAYS = {
    "lines": b"\n".join(LATER),
    "array": b"[" + b",\n".join(LATER) + b"]",
    "table": as_table(LATER),
    "upside down": b"\n".join(reversed(LATER)),
    "twice": b"\n".join((*LATER, *LATER[:200])),
}


def a_wish(content: bytes) -> WishWithFiles:
    wish = WishWithFiles(orders=ORDERS, content=content)
    wish.offer(len(LATER))
    return wish


async def a_seller(service: Workshop, merchant_id: str = "m1", pages: int = 1) -> Integration:
    rules = replace(QUICK_RULES.order_jobs, after_pages=pages)
    service.channel.rules = replace(QUICK_RULES, order_jobs=rules)
    return await service.connect(merchant_id, orders_from=FIRST + timedelta(days=1))


async def stored(database: Database, seller: Integration) -> dict[str, dict[str, object]]:
    """Every column of the shop's orders, those that are sealed as they were, by the marketplace's ids."""
    async with database.session() as session:
        rows = await session.rows(
            text("SELECT * FROM orders WHERE account_id = :account"), {"account": seller.account_id}
        )
    found = {}
    for row in rows:
        columns = dict(row._mapping)
        personal = database.personal.opened(bytes(columns["personal"]), ORDER.place("personal", columns))
        found[columns["channel_order_id"]] = {
            **{name: value for name, value in columns.items() if name not in OF_THE_STORE},
            **personal._asdict(),
        }
    return found


@pytest.mark.parametrize("way", WAYS)
async def test_the_rows_are_the_same_byte_by_byte_whether_by_page_or_by_file(database, way: str):
    wish = a_wish(WAYS[way])
    async with a_service(database, wish) as service:
        by_page = await a_seller(service, "m1", pages=1000)
        assert (await service.run(by_page, **WINDOW)).counts.created == COUNT
        assert wish.files_asked_for == []
        by_file = await a_seller(service, "m2")
        async with watched():
            run = await service.run(by_file, **WINDOW)
        calls = await journal(service, run)

    assert (run.outcome, run.counts.created, wish.files_asked_for) == (Outcome.SUCCESS, COUNT, [FILE])
    assert calls.count("/api/v3/orders") == 1
    rows = await stored(database, by_file)
    assert len(rows) == COUNT
    assert rows == await stored(database, by_page)


async def journal(service: Workshop, run: Run) -> list[str]:
    async with service.database.read() as work:
        return [call.path for call in (await work.runs.calls(TENANT, run.id, PageRequest(100))).items]


BOMB = b"[" * 2_000_000
HOSTILE = {
    "nothing": b"",
    "a page": b"<html><body>maintenance</body></html>",
    "another report": b"Order Id,Date\n1,2\n",
    "other objects": b'{"order":{"id":"1"}}\n' * 900,
    "cut off": b"\n".join(LATER)[:-40],
    "cut off array": b"[" + b",".join(LATER[:300]),
    "fewer": b"\n".join(LATER[:-1]),
    "many more": b"\n".join(LATER * 4),
    "brackets": BOMB,
    "crumbs": b"0\n" * 500_000,
    "a large word": b'{"id":"' + b"x" * 20_000_000,
}


@pytest.mark.parametrize("content", HOSTILE)
async def test_a_file_that_cannot_be_used_costs_pages_and_no_order(database, content: str):
    wish = a_wish(HOSTILE[content])
    async with a_service(database, wish) as service:
        seller = await a_seller(service)
        async with watched():
            run = await service.run(seller, **WINDOW)
        calls = await journal(service, run)
        async with database.read() as work:
            assert await work.held_orders.untried("wish", "r", "", 10) == []

    assert (run.outcome, run.error, len(await stored(database, seller))) == (Outcome.SUCCESS, None, COUNT)
    # The last page is asked for once more where files brought nothing of it.
    assert (calls.count("/api/v3/orders/bulk_get"), calls.count("/api/v3/orders") in (3, 4)) == (1, True)


async def test_a_row_of_a_file_that_cannot_be_read_is_held_with_what_it_says(database):
    wish = a_wish(b"\n".join((b'{"id":"odd","updated_at":"2026-11-20T10:10:00Z"}', *LATER[1:], b"{", b"{}")))
    wish.orders = ORDERS[:499] + ORDERS[500:]
    async with a_service(database, wish) as service:
        seller = await a_seller(service)
        run = await service.run(seller, **WINDOW)
        async with database.read() as work:
            held = {one.id: one for one in await work.held_orders.untried("wish", "r", "", 10)}
            replies_held = {await work.held_orders.raw(id) for id in held}

    assert (run.outcome, run.counts.created, run.counts.held) == (Outcome.PARTIAL, COUNT - 1, 3)
    assert replies_held == {b'{"id":"odd","updated_at":"2026-11-20T10:10:00Z"}', b"{", b"{}"}


@pytest.mark.parametrize(
    "urls",
    [
        ("http://storage.test/f",),
        ("https://127.0.0.1/f",),
        ("https://user:secret@storage.test/f",),
        ("file:///etc/passwd",),
    ],
)
async def test_a_file_that_lies_where_none_may_is_not_fetched(database, urls):
    wish = a_wish(WAYS["lines"])
    wish.offer(len(LATER), *urls)
    async with a_service(database, wish) as service:
        seller = await a_seller(service)
        run = await service.run(seller, **WINDOW)

    assert (run.outcome, wish.files_asked_for) == (Outcome.SUCCESS, [])
    assert len(await stored(database, seller)) == COUNT


@pytest.mark.parametrize("total", [None, "many", -1, [7]])
async def test_a_job_that_does_not_say_how_much_there_is_costs_pages(database, total: object):
    wish = a_wish(WAYS["lines"])
    wish.offer(total)
    async with a_service(database, wish) as service:
        seller = await a_seller(service)
        run = await service.run(seller, **WINDOW)

    assert (run.outcome, wish.files_asked_for) == (Outcome.SUCCESS, [])
    assert len(await stored(database, seller)) == COUNT


async def test_a_job_whose_files_are_nowhere_costs_pages(database):
    wish = a_wish(b"")
    wish.spoilt[JOB] = envelope(b'{"id":"job1","status":"READY","total_count":801,"file_urls":null}')
    async with a_service(database, wish) as service:
        seller = await a_seller(service)
        run = await service.run(seller, **WINDOW)

    assert (run.outcome, len(await stored(database, seller))) == (Outcome.SUCCESS, COUNT)
