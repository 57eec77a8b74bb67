"""A Wish that ignores the sorting it is asked for, and sends the newest order first: nothing is left out."""

from datetime import UTC, datetime, timedelta

import pytest
import respx
from tests.channels.factories import BASE, an_order, at_the_counter
from tests.channels.small_wish import SmallWish

from channel_sync.channels.wish.read_pages import read_page
from channel_sync.domain.orders import OrderQuery, UnreadPage

SINCE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
T = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ORDERS = f"{BASE}/api/v3/orders"


@pytest.fixture
def wish():
    with respx.mock(assert_all_called=False) as router:
        wish = SmallWish([])
        wish.newest_first = True
        router.get(ORDERS).mock(side_effect=wish.list)
        router.post(f"{ORDERS}/bulk_get").mock(side_effect=wish.start_job)
        router.get(f"{ORDERS}/bulk_get/job1").mock(side_effect=wish.job_status)
        router.get(f"{BASE}/files/1").mock(side_effect=wish.file)
        yield wish


def at(second: int, number: int | None = None) -> dict:
    moment = (T + timedelta(seconds=second)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return an_order(second if number is None else number, moment)


async def walk(query: OrderQuery, most: int = 20) -> tuple[set[str], list[bool]]:
    """Ids of the orders that a walk finds, and of each page whether it was in order."""
    ids, in_order = set[str](), list[bool]()
    following: OrderQuery | None = query
    async with at_the_counter() as counter:
        while following is not None and len(in_order) < most:
            page = await counter.shop.orders(following)
            whole = read_page(page) if isinstance(page, UnreadPage) else page
            ids |= {order.channel_order_id for order in whole.orders}
            in_order.append(page.in_order)
            following = page.next if page.full else None
    return ids, in_order


async def test_every_order_of_a_list_that_begins_with_the_newest_is_found(wish):
    wish.orders = [at(second) for second in range(1700)]

    ids, in_order = await walk(OrderQuery(SINCE))

    assert len(ids) == 1700
    assert in_order == [False] * 4


async def test_the_window_of_a_backfill_is_walked_to_its_beginning_and_no_further(wish):
    wish.orders = [at(second) for second in range(1700)]

    ids, _ = await walk(OrderQuery(T + timedelta(seconds=300), T + timedelta(seconds=1399)))

    assert ids == {f"{second:024x}" for second in range(300, 1400)}


async def test_an_instant_that_fills_a_page_on_the_way_down_is_read_whole_and_passed(wish):
    same = [at(600, 10_000 + number) for number in range(1100)]
    wish.orders = [*(at(second) for second in range(600)), *same, *(at(second) for second in range(601, 700))]

    ids, in_order = await walk(OrderQuery(SINCE))

    assert len(ids) == 600 + 1100 + 99
    assert not any(in_order)


async def test_a_short_list_that_begins_with_the_newest_is_whole_as_it_is(wish):
    wish.orders = [at(second) for second in range(3)]

    ids, in_order = await walk(OrderQuery(SINCE))

    assert (len(ids), in_order) == (3, [False])


async def test_a_full_page_in_no_order_at_all_leads_nowhere(wish):
    wish.sort = False
    wish.orders = [at(second * 7 % 600) for second in range(600)]

    ids, in_order = await walk(OrderQuery(SINCE))

    assert (len(ids), in_order) == (500, [False])
