import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx
from tests.channels.factories import BASE, an_order, at_the_counter, ok, refused
from tests.channels.small_wish import SmallWish

from channel_sync.channels.wish.order_pages import kept_order
from channel_sync.channels.wish.read_pages import read_page
from channel_sync.domain.errors import ChannelRefused, ChannelUnavailable, NotAtChannel, RunStopped
from channel_sync.domain.orders import OrderQuery, OrderWindow, UnreadPage

SINCE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
T = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
T_TEXT = "2026-11-20T10:00:00.000Z"
ORDERS = f"{BASE}/api/v3/orders"
STATES = ("APPROVED", "SHIPPED", "REFUNDED", "REQUIRE_REVIEW", "DECLINED")


@pytest.fixture
def wish():
    with respx.mock(assert_all_called=False) as router:
        wish = SmallWish([])
        router.get(ORDERS).mock(side_effect=wish.list)
        router.post(f"{ORDERS}/bulk_get").mock(side_effect=wish.start_job)
        router.get(f"{ORDERS}/bulk_get/job1").mock(side_effect=wish.job_status)
        router.get(f"{BASE}/files/1").mock(side_effect=wish.file)
        yield wish


def at(second, number=None, **changes):
    moment = T + timedelta(seconds=second)
    text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return an_order(second if number is None else number, text, **changes)


async def page_of(query):
    async with at_the_counter() as counter:
        return read(await counter.shop.orders(query))


def read(page):
    """The page, read where it came unread."""
    return read_page(page) if isinstance(page, UnreadPage) else page


async def all_ids(query):
    """Every order of a walk to its end, and how many pages it took."""
    ids, pages = set(), 0
    async with at_the_counter() as counter:
        following = query
        while following is not None:
            page = read(await counter.shop.orders(following))
            ids |= {order.channel_order_id for order in page.orders}
            pages += 1
            assert pages < 50
            following = page.next if page.full else None
    return ids, pages


async def test_a_page_asks_for_the_oldest_changes_first(wish):
    await page_of(OrderQuery(SINCE))
    assert wish.queries == [
        {"sort_by": "updated_at.asc", "updated_at_min": "2026-11-20T09:00:00.000Z", "limit": "500"}
    ]


async def test_a_window_of_releases_asks_for_open_orders_between_two_moments(wish):
    await page_of(OrderQuery(SINCE, T, OrderWindow.RELEASED, only_open=True))
    assert wish.queries == [
        {
            "sort_by": "released_at.asc",
            "released_at_min": "2026-11-20T09:00:00.000Z",
            "released_at_max": T_TEXT,
            "states": "APPROVED",
            "limit": "500",
        }
    ]


async def test_the_next_page_starts_where_the_last_row_was(wish):
    wish.orders = [at(second) for second in range(3)]
    page = await page_of(OrderQuery(SINCE))
    assert page.next == OrderQuery(T + timedelta(seconds=2))
    assert (len(page), page.full, page.in_order) == (3, False, True)


async def test_an_empty_page_has_no_next(wish):
    page = await page_of(OrderQuery(SINCE))
    assert (page.next, page.full, len(page)) == (None, False, 0)


async def test_a_walk_over_many_pages_sees_every_order(wish):
    wish.orders = [at(second) for second in range(1200)]
    ids, pages = await all_ids(OrderQuery(SINCE))
    assert len(ids) == 1200
    assert pages == 3


async def test_a_page_that_is_not_in_order_says_so_and_leads_nowhere(wish):
    wish.sort, wish.orders = False, [at(2), at(1)]
    page = await page_of(OrderQuery(SINCE))
    assert (page.in_order, page.next, len(page.orders)) == (False, None, 2)


async def test_a_page_from_before_the_window_is_not_in_order(wish):
    wish.always = ok([at(1)])
    page = await page_of(OrderQuery(T + timedelta(hours=1)))
    assert (page.in_order, page.next) == (False, None)


async def test_a_bad_order_is_set_aside_and_the_page_goes_on(wish):
    wish.orders = [at(1), at(2, product_information=None), at(3)]
    page = await page_of(OrderQuery(SINCE))
    assert len(page.orders) == 2
    (bad,) = page.unreadable
    assert bad.pointer == "/product_information"
    assert page.next == OrderQuery(T + timedelta(seconds=3))


async def test_a_large_page_comes_unread_and_knows_where_to_go_on(wish):
    wish.orders = [at(second) for second in range(600)]
    async with at_the_counter() as counter:
        page = await counter.shop.orders(OrderQuery(SINCE))

    assert isinstance(page, UnreadPage)
    assert (page.full, page.in_order) == (True, True)
    assert page.next == OrderQuery(T + timedelta(seconds=499))
    assert len(read_page(page).orders) == 500


async def test_a_large_page_that_is_not_in_order_says_so_unread(wish):
    wish.sort = False
    wish.orders = [at(second) for second in reversed(range(100))]
    async with at_the_counter() as counter:
        page = await counter.shop.orders(OrderQuery(SINCE))

    assert isinstance(page, UnreadPage)
    assert (page.next, page.in_order) == (None, False)


@pytest.mark.parametrize("bad", ["not a time", 17, None, "2026-13-45T00:00:00Z"])
async def test_a_bad_time_on_a_large_page_costs_no_other_order(wish, bad):
    orders = [at(second) for second in range(501)]
    orders[250]["updated_at"] = bad
    wish.always = ok(orders)

    page = await page_of(OrderQuery(SINCE))

    assert (len(page.orders), len(page.unreadable)) == (500, 1)
    assert page.next == OrderQuery(T + timedelta(seconds=500))


async def test_a_bad_order_on_a_large_page_costs_no_other_order(wish):
    wish.orders = [at(second) for second in range(501)]
    wish.orders[250]["order_payment"] = {}

    page = await page_of(OrderQuery(SINCE))

    assert (len(page.orders), len(page.unreadable)) == (499, 1)
    assert page.unreadable[0].channel_order_id == f"{250:024x}"


async def test_a_page_of_nothing_but_bad_orders_still_leads_on(wish):
    wish.orders = [at(second, order_payment=None) for second in range(3)]
    page = await page_of(OrderQuery(SINCE))
    assert len(page.unreadable) == 3
    assert page.next == OrderQuery(T + timedelta(seconds=2))


async def test_half_a_surrogate_pair_in_one_order_costs_no_other_order(wish):
    body = json.dumps({"code": 0, "data": [at(1), at(2, product_information={"name": "a\ud800b"})]})
    wish.always = httpx.Response(200, content=body.encode())
    page = await page_of(OrderQuery(SINCE))
    assert [order.sanitised for order in page.orders] == [False, True]
    assert page.orders[1].content.lines[0].title == "a�b"


async def test_seven_hundred_orders_of_one_instant_all_come_out(wish):
    same = [at(0, number, state=STATES[number % 5]) for number in range(700)]
    wish.orders = [*same, *(at(second, 1000 + second) for second in range(1, 6))]
    ids, _ = await all_ids(OrderQuery(SINCE))
    assert len(ids) == 705
    assert len(wish.queries) <= 30


async def test_after_a_stuck_instant_the_next_millisecond_follows(wish):
    wish.orders = [at(0, number, state=STATES[number % 5]) for number in range(700)]
    page = await page_of(OrderQuery(SINCE))
    assert page.full
    assert page.next == OrderQuery(T + timedelta(milliseconds=1))


async def test_an_instant_with_too_many_of_one_state_comes_from_the_download_job(wish):
    wish.orders = [at(0, number) for number in range(1300)]
    ids, _ = await all_ids(OrderQuery(SINCE))
    assert len(ids) == 1300


async def test_orders_in_a_state_no_filter_names_come_from_the_download_job(wish):
    wish.orders = [at(0, number, state="TELEPORTED" if number == 0 else "APPROVED") for number in range(500)]
    wish.orders += [at(0, number, state="TELEPORTED") for number in range(500, 600)]
    ids, _ = await all_ids(OrderQuery(SINCE))
    assert len(ids) == 600


async def test_many_releases_of_one_instant_come_from_the_download_job(wish):
    wish.orders = [at(number, released_at=T_TEXT) for number in range(800)]
    wish.orders += [at(number, released_at=T_TEXT, state="SHIPPED") for number in range(800, 900)]
    ids, _ = await all_ids(OrderQuery(SINCE, None, OrderWindow.RELEASED, only_open=True))
    assert len(ids) == 800


async def test_a_window_that_ends_at_a_stuck_instant_ends(wish):
    wish.orders = [at(0, number, state=STATES[number % 5]) for number in range(700)]
    page = await page_of(OrderQuery(SINCE, until=T))
    assert page.next is None


async def test_a_download_job_is_polled_ever_slower_for_a_quarter_of_an_hour(wish):
    wish.orders, wish.job_state = [at(0, number) for number in range(600)], "CREATING"
    async with at_the_counter() as counter:
        with pytest.raises(ChannelUnavailable) as raised:
            await counter.shop.orders(OrderQuery(SINCE))
        polls = [nap for nap in counter.context.naps if nap >= 2]
    assert raised.value.code == "order_download_late"
    assert polls[:6] == [2, 5, 10, 20, 30, 30]
    assert 870 <= sum(polls) <= 930


async def test_a_failed_download_job_means_try_later(wish):
    wish.orders, wish.job_state = [at(0, number) for number in range(600)], "EXCEPTION"
    with pytest.raises(ChannelUnavailable) as raised:
        await page_of(OrderQuery(SINCE))
    assert raised.value.code == "order_download_failed"


async def test_a_cut_wire_ends_the_wait_for_a_job(wish):
    wish.orders, wish.job_state = [at(0, number) for number in range(600)], "PENDING"
    async with at_the_counter() as counter:
        wish.when_a_job_starts = counter.context.cancel
        with pytest.raises(RunStopped):
            await counter.shop.orders(OrderQuery(SINCE))


async def test_one_order_is_a_page_of_one():
    with respx.mock as router:
        router.get(f"{ORDERS}/o1").mock(return_value=ok(an_order(1)))
        async with at_the_counter() as counter:
            page = await counter.shop.order("o1")
    assert (len(page.orders), page.next, page.full) == (1, None, False)


@pytest.mark.parametrize(
    ("answer", "is_unknown"),
    [(refused(90001), True), (refused(90001, 404), True), (httpx.Response(404), True), (refused(1001), False)],
)
async def test_an_unknown_order_is_told_from_one_that_is_refused_for_another_reason(answer, is_unknown):
    with respx.mock as router:
        router.get(f"{ORDERS}/o1").mock(return_value=answer)
        async with at_the_counter() as counter:
            with pytest.raises(ChannelRefused) as raised:
                await counter.shop.order("o1")
    assert isinstance(raised.value, NotAtChannel) is is_unknown


def test_a_kept_reply_is_read_without_a_call():
    good = kept_order(json.dumps(an_order(1)).encode())
    bad = kept_order(b"{}")
    assert (len(good.orders), len(bad.unreadable)) == (1, 1)
