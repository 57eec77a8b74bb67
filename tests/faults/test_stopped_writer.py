"""A process that is stopped in the middle of a transaction holds nobody up for longer than five seconds."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from tests.factories import a_channel_order, an_event, connected
from tests.stored import order_rows

from channel_sync.domain.integrations import Account
from channel_sync.persistence.database import Database
from channel_sync.persistence.rows.encryption import Cipher, new_key_text, parse_keys

ROOT = Path(__file__).parent.parent.parent
KEYS = new_key_text(datetime.now(UTC))
NOBODY_WAITS_LONGER_S = 5.0


@pytest.fixture
def cipher() -> Cipher:
    return Cipher(parse_keys(KEYS))


@contextmanager
def writer(url: str, account: Account, how: str) -> Iterator[int]:
    """The id of a process that is in its transaction, or stores one page after the other."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.standing_still", url, KEYS, account.id, how],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "inside\n"
            yield process.pid
        finally:
            process.kill()


async def event_written_after_s(database: Database, tenant: str) -> float:
    began = time.monotonic()
    async with database.begin() as work:
        await work.events.add([an_event(tenant=tenant)])
    return time.monotonic() - began


async def page_stored_after_s(database: Database, account: Account) -> float:
    began = time.monotonic()
    async with database.begin() as work:
        await work.orders.store_rows(
            account, order_rows(database, account, [a_channel_order()], datetime.now(UTC))
        )
    return time.monotonic() - began


async def test_the_feed_of_a_tenant_does_not_wait_for_a_page_that_is_not_at_its_end(postgres_database, app_url):
    _, account = await connected(postgres_database)
    await event_written_after_s(postgres_database, account.tenant)

    with writer(app_url, account, "before its end") as process:
        os.kill(process, signal.SIGSTOP)
        waited_s = await event_written_after_s(postgres_database, account.tenant)

    assert waited_s < 1


async def test_what_a_stopped_process_holds_is_free_after_a_moment(postgres_database, app_url):
    _, account = await connected(postgres_database)

    with writer(app_url, account, "at its end") as process:
        os.kill(process, signal.SIGSTOP)
        waited = await asyncio.gather(
            event_written_after_s(postgres_database, account.tenant),
            page_stored_after_s(postgres_database, account),
        )

    assert 1 < max(waited) < NOBODY_WAITS_LONGER_S
    async with postgres_database.read() as work:
        assert len(await work.events.after(account.tenant, None, (), 10)) == 1


@pytest.mark.parametrize("moment", range(4))
async def test_at_whatever_moment_it_is_stopped(postgres_database, app_url, moment):
    _, account = await connected(postgres_database)
    at = Random(moment)

    with writer(app_url, account, "storing") as process:
        await asyncio.sleep(0.3 + at.random())
        os.kill(process, signal.SIGSTOP)
        waited = await asyncio.gather(
            event_written_after_s(postgres_database, account.tenant),
            page_stored_after_s(postgres_database, account),
        )

    assert max(waited) < NOBODY_WAITS_LONGER_S
