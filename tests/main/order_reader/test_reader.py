"""Large pages are read by a process of their own, which may be lost at any moment."""

import asyncio
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.channels.factories import an_order
from tests.factories import NOW
from tests.stores import COMPRESSION

from channel_sync.channels.wish.read_pages import read_page
from channel_sync.domain.orders import OrderQuery, UnreadPage
from channel_sync.flows.orders.prepare import PageContext, ready
from channel_sync.main.order_reader.process import receive
from channel_sync.main.order_reader.reader import HelpedReader, Helper, page_reader
from channel_sync.persistence.rows.encryption import Cipher, new_key_text, parse_keys
from channel_sync.persistence.rows.prepared_orders import PersonalParts
from channel_sync.persistence.rows.sealed_columns import ORDER

KEYS = new_key_text(NOW)
PARTS = PersonalParts(Cipher(parse_keys(KEYS)), COMPRESSION)
CONTEXT = PageContext("wish", "acme", "acc_1", "int_1", "GBP", NOW)
BAD = json.dumps({"id": "bad", "updated_at": "2026-11-20T10:00:00.000Z"}).encode()


def a_page(*numbers: int, bad: bool = False) -> UnreadPage:
    """A page of orders with these numbers, and of one that cannot be read."""
    texts = [json.dumps(an_order(number)).encode() for number in numbers]
    content = b"[" + b",".join(texts + [BAD] * bad) + b"]"
    return UnreadPage(content, "r-1", OrderQuery(NOW), full=True)


@pytest.fixture
async def reader():
    async with page_reader(SecretStr(KEYS), PARTS) as reader:
        yield reader


def helpers() -> Iterator[int]:
    """Ids of this process's helpers."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(file.read_text().rpartition(")")[2].split()[1])
            command = file.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and b"order_reader" in command:
            yield int(file.parent.name)


async def test_the_helper_makes_of_a_page_what_we_would(reader: HelpedReader):
    page = a_page(*range(100), bad=True)

    fresh = await reader.read(page, CONTEXT)

    expected = ready(read_page(page), CONTEXT, PARTS)
    assert [row._replace(id="", personal=None) for row in fresh.rows] == [
        row._replace(id="", personal=None) for row in expected.rows
    ]
    assert [event.id for event in fresh.created.values()] == [event.id for event in expected.created.values()]
    assert list(fresh.created) == [row.id for row in fresh.rows]
    assert fresh.unreadable == expected.unreadable
    assert (fresh.next, fresh.full, fresh.in_order, len(fresh)) == (page.next, True, True, 101)


async def test_what_the_helper_sealed_opens_here(reader: HelpedReader):
    fresh = await reader.read(a_page(7), CONTEXT)

    [row] = fresh.rows
    assert row.personal is not None
    assert json.loads(PARTS.opened(row.personal, ORDER.place("personal", row._asdict())).raw) == an_order(7)


async def test_a_lost_helper_costs_no_page_and_is_replaced(reader: HelpedReader):
    await reader.read(a_page(1), CONTEXT)
    [first] = helpers()
    os.kill(first, signal.SIGKILL)

    pages = [await reader.read(a_page(number), CONTEXT) for number in (2, 3)]

    assert [page.rows[0].channel_order_id for page in pages] == [f"{number:024x}" for number in (2, 3)]
    [second] = helpers()
    assert second != first


async def test_pages_asked_for_at_once_get_each_its_own_answer(reader: HelpedReader):
    first, *others = range(20)
    await reader.read(a_page(first), CONTEXT)

    pages = await asyncio.gather(*[reader.read(a_page(*[number] * 60), CONTEXT) for number in others])

    assert [{row.channel_order_id for row in page.rows} for page in pages] == [
        {f"{number:024x}"} for number in others
    ]
    assert len(list(helpers())) == 1


@pytest.mark.parametrize("orders", [60, 3000])
async def test_a_helper_lost_with_two_pages_costs_neither(caplog: pytest.LogCaptureFixture, orders: int):
    """Small ones are with it; of large ones the first is on its way and the second waits for that."""
    reader = HelpedReader(Helper(SecretStr(KEYS), patience_s=30), PARTS)
    await reader.read(a_page(1), CONTEXT)
    [stopped] = helpers()
    os.kill(stopped, signal.SIGSTOP)
    both = [asyncio.create_task(reader.read(a_page(*[number] * orders), CONTEXT)) for number in (2, 3)]
    await asyncio.sleep(0.2)
    os.kill(stopped, signal.SIGKILL)

    pages = await asyncio.gather(*both)

    assert [page.rows[0].channel_order_id for page in pages] == [f"{number:024x}" for number in (2, 3)]
    assert len(caplog.records) == 2
    await reader.read(a_page(4), CONTEXT)
    assert len(list(helpers())) == 1
    await reader.close()


async def test_a_helper_that_stands_still_costs_no_page_either():
    reader = HelpedReader(Helper(SecretStr(KEYS), patience_s=0.3), PARTS)
    await reader.read(a_page(1), CONTEXT)
    [stopped] = helpers()
    os.kill(stopped, signal.SIGSTOP)

    page = await reader.read(a_page(2), CONTEXT)

    assert page.rows[0].channel_order_id == f"{2:024x}"
    assert stopped not in helpers()
    await reader.close()


async def test_what_a_helper_answers_too_late_is_nobodys():
    """It comes to itself in the moment in which the first of two pages is given up, whose answer it then sends."""
    patience_s = 0.1
    reader = HelpedReader(Helper(SecretStr(KEYS), patience_s), PARTS)
    for early_ms in range(0, 40, 2):
        # One that takes longer to start than it may to answer is given up, too.
        for _ in range(50):
            if not list(helpers()):
                await reader.read(a_page(1), CONTEXT)
        [stopped] = helpers()
        os.kill(stopped, signal.SIGSTOP)
        both = [asyncio.create_task(reader.read(a_page(*[number] * 60), CONTEXT)) for number in (2, 3)]
        await asyncio.sleep(patience_s - early_ms / 5000)
        with suppress(ProcessLookupError):
            os.kill(stopped, signal.SIGCONT)

        for number, page in zip((2, 3), await asyncio.gather(*both), strict=True):
            assert {row.channel_order_id for row in page.rows} == {f"{number:024x}"}
    await reader.close()


class Liar(Helper):
    """Answers something else than was asked for, as what reads a stranger's bytes might be made to."""

    def ask(self, *_messages: bytes | bytearray | memoryview) -> bytearray:
        return bytearray(pickle.dumps(print))


async def test_what_is_no_answer_is_nothing_that_is_done(caplog: pytest.LogCaptureFixture):
    reader = HelpedReader(Liar(SecretStr(KEYS)), PARTS)

    page = await reader.read(a_page(2), CONTEXT)

    assert page.rows[0].channel_order_id == f"{2:024x}"
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    await reader.close()


def test_a_length_that_no_message_has_is_the_end():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\xff" * 8)
        with pytest.raises(EOFError):
            receive(ours)


async def test_what_the_helper_cannot_read_at_all_fails_as_it_would_here(reader: HelpedReader):
    with pytest.raises(KeyError):
        await reader.read(a_page(1), PageContext("etsy", "acme", "acc_1", "int_1", "GBP", NOW))

    assert len((await reader.read(a_page(1), CONTEXT)).rows) == 1


async def test_the_helper_is_told_no_setting_and_ends_with_its_reader(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CHANNEL_SYNC_ENCRYPTION_KEYS", KEYS)
    async with page_reader(SecretStr(KEYS), PARTS) as reader:
        await reader.read(a_page(1), CONTEXT)
        [helper] = helpers()
        told = Path(f"/proc/{helper}/environ").read_bytes() + Path(f"/proc/{helper}/cmdline").read_bytes()

    assert b"CHANNEL_SYNC_" not in told
    assert KEYS.partition(":")[2].encode() not in told
    assert not list(helpers())


def test_the_helper_ends_when_the_service_is_killed():
    service = subprocess.Popen([sys.executable, "-c", ASK_AND_WAIT, KEYS], stdout=subprocess.PIPE, text=True)
    assert service.stdout is not None
    helper = int(service.stdout.readline())
    service.kill()
    service.wait()
    service.stdout.close()

    deadline = time.monotonic() + 10
    while _runs(helper):
        assert time.monotonic() < deadline, "the helper outlived the service"
        time.sleep(0.02)


def _runs(process: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_the_helper_survives_the_signals_that_stop_the_service(reader: HelpedReader):
    await reader.read(a_page(1), CONTEXT)
    [helper] = helpers()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(helper, number)

    await reader.read(a_page(2), CONTEXT)

    assert list(helpers()) == [helper]


def test_a_helper_that_was_never_asked_ends_at_once():
    Helper(SecretStr(KEYS)).end()

    assert not list(helpers())


ASK_AND_WAIT = """
import sys, time
from pydantic import SecretStr
from channel_sync.main.order_reader.reader import Helper

helper = Helper(SecretStr(sys.argv[1]))
helper._start()
print(helper._process.pid, flush=True)
time.sleep(60)
"""
