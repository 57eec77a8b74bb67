"""Waiting for what a runner does beside a test."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.flows.workshop import TENANT, Workshop


async def until(is_so: Callable[[], Awaitable[bool]], within_s: float = 5) -> None:
    """Come back once it is so; `TimeoutError` where that takes too long."""
    async with asyncio.timeout(within_s):
        while not await is_so():
            await asyncio.sleep(0.01)


async def is_finished(workshop: Workshop, run_id: str) -> bool:
    """Whether the run is closed."""
    async with workshop.database.read() as work:
        return (await work.runs.get(TENANT, run_id)).finished_at is not None


async def has_orders(workshop: Workshop, number: int) -> bool:
    """Whether so many orders are stored, or more."""
    return len(await workshop.orders()) >= number


async def has_units(workshop: Workshop, units: int) -> bool:
    """Whether the shop shows so many of the first variation."""
    return workshop.shop().units("var-1")["wh1"] == units
