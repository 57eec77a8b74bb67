"""A shop with a long history: two orders a page, and after two pages the rest comes as files."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from tests.flows.goods import START, an_order
from tests.flows.workshop import TENANT, Workshop, waiting

from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Integration
from channel_sync.domain.order_files import HistoryDownload
from channel_sync.domain.runs import Run

COUNT = 20
END = START + timedelta(minutes=COUNT)
WINDOW: dict[str, Any] = {"window_from": START, "window_to": END}
# Two pages have these; the first of the third is the last of the second.
BY_PAGE = 3


async def a_long_history(workshop: Workshop, count: int = COUNT) -> Integration:
    """The seller, whose clock has nothing to do."""
    rules = workshop.channel.rules
    jobs = replace(rules.order_jobs, after_pages=2, orders_a_page=1)
    workshop.channel.rules = replace(rules, order_jobs=jobs)
    seller = await workshop.connect(orders_from=utcnow())
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, count + 1)))
    return seller


def calls(workshop: Workshop) -> dict[str, int]:
    """How often the marketplace was asked for pages, for a job, how far that is, and for a file."""
    names = ("orders", "start_order_job", "order_job", "order_file")
    return {name: workshop.channel.calls[name] for name in names}


async def ids(workshop: Workshop) -> list[str]:
    """The marketplace's ids of what is stored, in its order there."""
    return sorted((order.channel_order_id for order in await workshop.orders()), key=lambda id: int(id[2:]))


def all_ids(count: int = COUNT) -> list[str]:
    return [f"o-{number}" for number in range(1, count + 1)]


async def download_of(workshop: Workshop, run: Run) -> HistoryDownload | None:
    async with workshop.database.read() as work:
        return await work.order_downloads.find(run)


async def cut_off(workshop: Workshop, run: Run, at: str) -> Workshop:
    """The process that comes after the one which is stopped in that call of the run."""
    gate = workshop.channel.hold(at)
    working = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    workshop.runs.stop_all()
    gate.open.set()
    await working
    return workshop.another(f"after-{at}")


async def finish(workshop: Workshop) -> Run:
    """The run that is queued, carried out."""
    [run_id] = await waiting(workshop.runs)
    await workshop.runs.execute(run_id)
    async with workshop.database.read() as work:
        return await work.runs.get(TENANT, run_id)


async def age(workshop: Workshop, by: timedelta) -> None:
    """Let every download have been asked for so much earlier."""
    earlier = text("UPDATE order_downloads SET asked_at = asked_at - :micros")
    async with workshop.database.session() as session:
        await session.execute(earlier, {"micros": int(by.total_seconds() * 1_000_000)})
