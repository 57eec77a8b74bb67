"""What the marketplace refused, sent again when a person asks for it."""

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, push
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.listings import PushState


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_everything_refused_is_sent_once_more_however_much_it_is(workshop: Workshop):
    numbers = range(1, 601)
    seller = await a_shop(workshop, *(a_listing(number) for number in numbers))
    workshop.shop().refusals = {f"var-{number}": ("7", "Closed.") for number in numbers}
    await workshop.put(*((f"sku-{number}", 1) for number in numbers))
    await push(workshop, seller)
    workshop.shop().refusals = {}

    retried = await workshop.put_stock.retry(TENANT, seller.id, PushState.REJECTED)
    run = await push(workshop, seller)

    assert (retried, run.counts.updated) == (600, 600)
    assert await workshop.put_stock.retry(TENANT, seller.id, PushState.REJECTED) == 0
