import asyncio

import pytest

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.errors import RunStopped
from channel_sync.domain.secrets import Secret


async def test_a_cut_wire_wakes_a_sleeper_at_once():
    context = CallContext(Priority.ORDERS)
    sleeper = asyncio.create_task(context.sleep(60))
    await asyncio.sleep(0)
    context.cancel()
    with pytest.raises(RunStopped):
        await sleeper


async def test_a_cut_wire_lets_no_call_start():
    context = CallContext(Priority.ORDERS)
    context.raise_if_cancelled()
    context.cancel()
    with pytest.raises(RunStopped):
        context.raise_if_cancelled()


async def test_a_whole_wire_sleeps_its_time():
    clock = asyncio.get_running_loop().time
    began = clock()
    await CallContext(Priority.STOCK).sleep(0.01)

    assert clock() - began > 0.009


def test_a_secret_never_shows_itself():
    secret = Secret("s3cr3t-value-0001")
    assert "s3cr3t" not in f"{secret} {secret!r} {[secret]}"
    assert secret.last4 == "0001"


def test_a_short_secret_does_not_give_away_its_end():
    assert Secret("short").last4 == ""
