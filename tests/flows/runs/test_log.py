"""What the log says of runs."""

import logging
from collections.abc import MutableMapping, Sequence
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs
from tests.flows.goods import an_order, an_unreadable_order
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.runs import RunKind, Trigger
from channel_sync.flows.runs.session import RunSession

DOWN = ChannelUnavailable("server_error", "Wish answered 502.", request_id="wish-7")


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


def runs(lines: Sequence[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    return [line for line in lines if line["event"] == "run"]


async def test_a_run_that_brought_something_is_one_line(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_order(2), an_unreadable_order(3))

    with capture_logs() as lines:
        run = await workshop.due(seller)

    assert run is not None
    [line] = runs(lines)
    assert isinstance(line.pop("duration_ms"), int)
    assert line == {
        "event": "run",
        "log_level": "info",
        "run_id": run.id,
        "integration_id": seller.id,
        "tenant": TENANT,
        "kind": "orders",
        "trigger": "schedule",
        "status": "finished",
        "outcome": "partial",
        "counts": {"created": 2, "held": 1, "unchanged": run.counts.unchanged},
        "error_code": None,
        "error_class": None,
        "channel_request_id": None,
    }


async def test_a_run_that_failed_says_why_and_which_call_to_ask_the_marketplace_about(workshop: Workshop):
    seller = await workshop.connect()
    workshop.channel.fail("orders", DOWN)

    with capture_logs() as lines:
        await workshop.due(seller)

    [line] = runs(lines)
    assert (line["outcome"], line["error_code"], line["error_class"]) == (
        "failed",
        "server_error",
        "channel_outage",
    )
    assert (line["channel_request_id"], line["counts"]) == ("wish-7", {})


async def test_scheduled_runs_without_news_say_nothing_and_a_persons_does(workshop: Workshop):
    seller = await workshop.connect()

    with capture_logs() as quiet:
        for kind in (RunKind.ORDERS, RunKind.LISTINGS, RunKind.STOCK):
            await workshop.due(seller, kind)
    with capture_logs() as asked:
        await workshop.run(seller)

    assert runs(quiet) == []
    [line] = runs(asked)
    assert (line["trigger"], line["outcome"]) == ("manual", "no_changes")


class Mutter:
    """A walk that logs something of its own, as a library would."""

    async def run(self, session: RunSession) -> None:
        logging.getLogger("channel_sync.flows.other").warning("something")
        structlog.get_logger("other").info("something", found=structlog.contextvars.get_contextvars())


async def test_whatever_is_logged_in_a_run_carries_its_ids(database):
    workshop = Workshop(database, walks={RunKind.ORDERS: Mutter()})
    seller = await workshop.connect()

    with capture_logs() as lines:
        run = await workshop.run(seller)

    [found] = [line["found"] for line in lines if line["event"] == "something"]
    assert found == {"run_id": run.id, "integration_id": seller.id, "tenant": TENANT, "kind": "orders"}
    assert structlog.contextvars.get_contextvars() == {}


async def test_a_run_whose_process_is_gone_is_named_by_whoever_takes_it_over(database):
    workshop = Workshop(database, stale_after_s=-1)
    seller = await workshop.connect()
    run = await workshop.queue(seller, trigger=Trigger.SCHEDULE)
    async with database.begin() as work:
        await work.run_batches.claim([run.id], "a process that is gone", utcnow())

    with capture_logs() as lines:
        await workshop.runs.take_over_silent()

    [line] = lines
    assert (line["event"], line["log_level"], line["run_id"]) == ("run_taken_over", "warning", run.id)
    assert line["owner"] == "a process that is gone"
