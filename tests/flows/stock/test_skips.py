"""Listings that are no longer told their stock."""

from dataclasses import replace

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, push
from tests.flows.workshop import Workshop

from channel_sync.domain.integrations import Integration
from channel_sync.domain.runs import RunKind


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def told(workshop: Workshop) -> Integration:
    """A shop whose two listings were told their stock."""
    seller = await a_shop(workshop, a_listing(1), a_listing(2))
    await workshop.put(("sku-1", 7), ("sku-2", 7))
    await push(workshop, seller)
    return seller


async def look(workshop: Workshop, seller: Integration) -> None:
    await workshop.run(seller, RunKind.LISTINGS)


async def told_of(workshop: Workshop) -> list[str | int | None]:
    return [event.members["code"] for event in await workshop.events("stock.skipped")]


async def incidents(workshop: Workshop) -> list[str]:
    return [event.type for event in await workshop.events("incident.opened", "incident.closed")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sku": "sku-2"}, "sku_ambiguous"),
        ({"writable": False}, "listing_closed"),
        ({"sku": None}, "listing_unmapped"),
    ],
)
async def test_what_ceases_to_be_told_is_told_of_once(workshop: Workshop, change, code: str):
    seller = await told(workshop)
    workshop.shop().put_up(replace(a_listing(1), **change))

    for _ in range(3):
        await look(workshop, seller)

    assert await told_of(workshop) == [code]
    assert await incidents(workshop) == ["incident.opened"]


async def test_the_incident_ends_when_all_are_told_again(workshop: Workshop):
    seller = await told(workshop)
    workshop.shop().put_up(replace(a_listing(1), writable=False))
    await look(workshop, seller)

    workshop.shop().put_up(a_listing(1))
    await look(workshop, seller)

    assert await incidents(workshop) == ["incident.opened", "incident.closed"]


async def test_a_listing_that_is_gone_is_told_of_and_no_incident(workshop: Workshop):
    seller = await told(workshop)
    workshop.shop().take_down("var-1")

    await look(workshop, seller)
    await look(workshop, seller)

    assert (await told_of(workshop), await incidents(workshop)) == (["listing_gone"], [])


async def test_a_listing_that_was_never_told_its_stock_is_no_news(workshop: Workshop):
    await a_shop(workshop, a_listing(1, sku="twin"), a_listing(2, sku="twin"), a_listing(3, writable=False))

    assert (await told_of(workshop), await incidents(workshop)) == ([], [])
