"""A shop so large that it is read a part at a time, and told from a line."""

import asyncio

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, push
from tests.flows.workshop import Workshop

from channel_sync.domain.runs import RunKind
from channel_sync.flows.stock.line import LineRules
from channel_sync.flows.stock.push import PushStock

MANY = range(1, 41)
KEPT = LineRules(at_once=8, kept_times=1_000_000)
LINES_ANEW = LineRules(at_once=8, kept_s=0)


def with_lines(database, rules=KEPT):
    return Workshop(database, walks={RunKind.STOCK: PushStock(rules)})


def in_one_warehouse(number, product=None):
    return a_listing(number, product=product, quantities=(("wh1", 500),))


async def put(workshop, units=lambda number: number):
    await workshop.put(*((f"sku-{number}", units(number)) for number in MANY))


def told(workshop):
    return [int(variation.removeprefix("var-")) for variation, _ in workshop.shop().stock_writes]


def shown(workshop):
    return [workshop.shop().units(f"var-{number}")["wh1"] for number in MANY]


@pytest.mark.parametrize("rules", [KEPT, LINES_ANEW], ids=["kept", "anew"])
async def test_a_line_is_told_once_the_steepest_decrease_first(database, rules):
    workshop = with_lines(database, rules)
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in MANY))
    await put(workshop)

    run = await push(workshop, seller)

    assert (run.counts.updated, shown(workshop)) == (len(MANY), list(MANY))
    jobs = [set(told(workshop)[start : start + 8]) for start in range(0, len(MANY), 8)]
    assert jobs == [set(MANY[start : start + 8]) for start in range(0, len(MANY), 8)]


async def test_whoever_waits_in_a_line_is_told_the_newest_level(database):
    workshop = with_lines(database)
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in MANY))
    await put(workshop)
    gate = workshop.channel.hold("start_stock_job")
    running = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()
    await put(workshop, units=lambda number: 77)

    gate.open.set()
    await running

    assert set(shown(workshop)) == {77}
    assert len(told(workshop)) == len(MANY) + 8


@pytest.mark.parametrize(("rules", "job"), [(KEPT, 4), (LINES_ANEW, 1)], ids=["kept", "anew"])
async def test_what_is_urgent_comes_before_a_line_that_is_made_up_anew(database, rules, job):
    workshop = with_lines(database, rules)
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in MANY))
    await put(workshop, units=lambda number: 500)
    await push(workshop, seller)
    workshop.shop().stock_writes.clear()
    await workshop.put(*((f"sku-{number}", number) for number in MANY[:32]))
    gate = workshop.channel.hold("start_stock_job")
    running = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()
    await workshop.put(("sku-40", 0))

    gate.open.set()
    await running

    assert told(workshop).index(40) // 8 == job


async def test_a_product_larger_than_a_part_goes_whole(database):
    workshop = with_lines(database)
    seller = await a_shop(workshop, *(in_one_warehouse(number, product=number // 15) for number in MANY))
    await put(workshop)

    await push(workshop, seller)

    assert (sorted(told(workshop)), shown(workshop)) == (list(MANY), list(MANY))
