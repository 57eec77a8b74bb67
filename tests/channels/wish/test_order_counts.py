"""How many orders there are: told by a download job whose files nobody fetches."""

from datetime import UTC, datetime, timedelta

import pytest
import respx
from tests.channels.factories import BASE, an_order, at_the_counter
from tests.channels.small_wish import SmallWish

from channel_sync.channels.wish.read_pages import read_page
from channel_sync.channels.wish.rules import RULES
from channel_sync.domain.errors import ReplyNotUnderstood
from channel_sync.domain.orders import OrderQuery, UnreadPage

SINCE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ORDERS = f"{BASE}/api/v3/orders"


@pytest.fixture
def wish():
    with respx.mock(assert_all_called=False, assert_all_mocked=True) as router:
        wish = SmallWish([])
        router.get(ORDERS).mock(side_effect=wish.list)
        router.post(f"{ORDERS}/bulk_get").mock(side_effect=wish.start_job)
        router.get(f"{ORDERS}/bulk_get/job1").mock(side_effect=wish.job_status)
        yield wish


def at(second: int) -> dict:
    moment = SINCE + timedelta(seconds=second)
    return an_order(second, moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


@pytest.mark.parametrize("count", [501, 998, 999, 1000, 1700])
async def test_the_estimate_is_what_a_walk_looks_at_and_takes(wish, count: int):
    wish.orders = [at(second) for second in range(count)]
    async with at_the_counter() as counter:
        job = await counter.shop.order_job(await counter.shop.start_order_job(OrderQuery(SINCE)))
        calls = RULES.order_jobs.calls(job.orders, 3, 1)
        following: OrderQuery | None = OrderQuery(SINCE)
        pages = 0
        while following is not None:
            page = await counter.shop.orders(following)
            whole = read_page(page) if isinstance(page, UnreadPage) else page
            pages += 1
            following = whole.next if whole.full else None

    # A walk asks once more after the last page that brought something.
    assert job.orders == count
    assert pages <= calls <= pages + 1


def test_a_long_history_takes_some_pages_and_a_job():
    rules = RULES.order_jobs
    assert rules.calls(100_000, looks=3, files=2) == rules.after_pages + 1 + 3 + 2 + 1


@pytest.mark.parametrize("total", [None, "many", -1, [7], {}])
async def test_a_job_that_says_no_number_is_not_understood(wish, total: object):
    wish.tells = {"total_count": total}
    async with at_the_counter() as counter:
        with pytest.raises(ReplyNotUnderstood):
            await counter.shop.order_job(await counter.shop.start_order_job(OrderQuery(SINCE)))
