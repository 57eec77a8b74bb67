"""Whatever one product or one answer about stock is: the others' listings and stock are none the worse."""

import json
from collections.abc import Sequence

import pytest
from tests.flows.workshop import TENANT
from tests.hostile import replies
from tests.hostile.hostile_wish import API, FILE, HostileWish, envelope
from tests.hostile.mutations import GROUPS, mutants
from tests.hostile.stage import a_service
from tests.hostile.watch import watched

from channel_sync.domain.runs import Outcome, RunKind, RunStatus
from channel_sync.persistence.sql.paging import PageRequest


def healthy(number: int) -> bytes:
    return json.dumps(replies.product(f"p{number}", f"v{number}")).encode()


async def variations(database, integration_id: str) -> set[str]:
    async with database.read() as work:
        page = await work.listings.list(TENANT, integration_id, PageRequest(5000, None))
    return {listing.variation_id for listing in page.items}


async def test_one_member_of_a_product_gone_wrong_costs_no_other_listing(database):
    strange = [text for _, _, text in mutants(replies.product("strange", "strange"))]
    sound = range(len(strange))
    lines = [line for number in sound for line in (healthy(number), strange[number])] + [healthy(5000)]
    async with a_service(database, HostileWish({("GET", FILE): b"\n".join(lines)})) as service:
        seller = await service.connect()
        async with watched():
            runs = [await service.run(seller, RunKind.LISTINGS) for _ in range(2)]
        found = await variations(database, seller.id)

    assert {f"v{number}" for number in (*sound, 5000)} <= found
    for run in runs:
        assert run.outcome in (Outcome.SUCCESS, Outcome.PARTIAL, Outcome.NO_CHANGES)
        assert run.error is None or run.error.code == "catalogue_partly_unreadable"


@pytest.mark.parametrize("kinds", GROUPS, ids="-".join)
async def test_an_answer_about_stock_gone_wrong_ends_in_an_outcome_of_the_run(database, kinds: Sequence[str]):
    wish = HostileWish({("GET", FILE): healthy(1)})
    async with a_service(database, wish) as service:
        seller = await service.connect()
        await service.run(seller, RunKind.LISTINGS)
        async with watched():
            for units, (kind, path, text) in enumerate(list(mutants(replies.product("p1", "v1"), kinds))[::4]):
                for method in ("PUT", "GET"):
                    wish.spoilt[method, f"{API}/products/p1"] = envelope(text)
                await service.put(("SKU-v1", units))
                run = await service.run(seller, RunKind.STOCK)
                assert run.status is RunStatus.FINISHED, (kind, path)
                assert run.error is None or run.error.code != "internal_error", (kind, path)
