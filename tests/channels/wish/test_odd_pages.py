"""Pages with rows that are strange in themselves, or stand at a strange time."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx
from tests.channels.factories import BASE, NOW, an_order, at_the_counter
from tests.channels.small_wish import SmallWish

from channel_sync.channels.wish.read_pages import read_page
from channel_sync.domain.orders import OrderPage, OrderQuery, UnreadPage

SINCE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
T = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ORDERS = f"{BASE}/api/v3/orders"
DEEP = b"[" * 5000 + b"]" * 5000
FUTURES = [NOW + timedelta(hours=2), NOW + timedelta(days=400), datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)]


@pytest.fixture
def wish():
    with respx.mock(assert_all_called=False) as router:
        wish = SmallWish([])
        router.get(ORDERS).mock(side_effect=wish.list)
        yield wish


def text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def row(number: int, at: datetime | None = None, **changes) -> dict:
    return an_order(number, text(T + timedelta(seconds=number) if at is None else at), **changes)


def answering(wish: SmallWish, *rows: bytes) -> None:
    wish.always = httpx.Response(200, content=b'{"code":0,"message":"","data":[' + b",".join(rows) + b"]}")


def written(*rows: dict) -> list[bytes]:
    return [json.dumps(one).encode() for one in rows]


async def a_page(query: OrderQuery | None = None) -> OrderPage:
    async with at_the_counter() as counter:
        page = await counter.shop.orders(query or OrderQuery(SINCE))
    return read_page(page) if isinstance(page, UnreadPage) else page


async def a_walk(most: int = 20) -> tuple[set[str], list[datetime]]:
    """Ids of the orders that a walk finds, and where it went."""
    ids, places = set[str](), []
    async with at_the_counter() as counter:
        query: OrderQuery | None = OrderQuery(SINCE)
        while query is not None:
            places.append(query.since)
            assert len(places) <= most
            page = await counter.shop.orders(query)
            read = read_page(page) if isinstance(page, UnreadPage) else page
            ids |= {order.channel_order_id for order in read.orders}
            query = read.next if read.full and read.next != query else None
    return ids, places


@pytest.mark.parametrize("count", [2, 499])
@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (b'{"id":"odd","x":' + DEEP + b"}", "too_deep"),
        (rb'{"id":"odd","x":"\q"}', "not_json"),
        (b'{"id":"odd","x":01}', "not_json"),
        (b"nonsense", "not_json"),
        (b"null", "wrong_type"),
        (b'{"id":"odd","x":"' + b"x" * 300_000 + b'"}', "too_large"),
        (b'{"id":"odd","x":"' + rb"\u0000" * 2_000_000 + b'"}', "too_large"),
    ],
)
async def test_a_row_that_nobody_can_read_is_held_and_the_others_are_read(wish, odd, reason, count):
    rows = written(*(row(number) for number in range(count)))
    answering(wish, *rows[: count // 2], odd, *rows[count // 2 :])
    page = await a_page()
    assert len(page.orders) == count
    [held] = page.unreadable
    assert held.reason == reason
    assert (held.channel_order_id == "odd") is (b'"odd"' in odd)
    assert page.in_order
    assert page.next == OrderQuery(T + timedelta(seconds=count - 1))


async def test_halves_of_pairs_in_a_page_are_replaced_in_their_order_alone(wish):
    rows = written(*(row(number) for number in range(3)))
    half = rows[1].replace(b'"Mug"', rb'"\ud800"')
    answering(wish, rows[0], half, rows[2])
    page = await a_page()
    assert [order.sanitised for order in page.orders] == [False, True, False]


@pytest.mark.parametrize("future", FUTURES)
async def test_an_order_dated_ahead_is_read_and_the_next_page_starts_before_it(wish, future):
    wish.orders = [row(1), row(2), row(3, future)]
    page = await a_page()
    assert [order.updated_at for order in page.orders][-1] == future
    assert page.next == OrderQuery(T + timedelta(seconds=2))
    assert page.in_order


@pytest.mark.parametrize("future", FUTURES)
async def test_a_held_order_dated_ahead_leads_nowhere_either(wish, future):
    wish.orders = [row(1), row(2), row(3, future, product_information=None)]
    page = await a_page()
    assert [held.updated_at for held in page.unreadable] == [future]
    assert page.next == OrderQuery(T + timedelta(seconds=2))


@pytest.mark.parametrize("future", FUTURES)
async def test_more_orders_dated_ahead_than_a_page_holds_are_all_found(wish, future):
    step = timedelta(0) if future.year == 9999 else timedelta(seconds=1)
    ahead = [row(10_000 + number, future + number * step) for number in range(1200 if step else 400)]
    wish.orders = [row(number) for number in range(300)] + ahead
    ids, _ = await a_walk()
    assert len(ids) == len(wish.orders)


@pytest.mark.parametrize("shown", ["soon", *[f"{year}-01-01T00:00:00Z" for year in ("2001", "0001", "9999")]])
@pytest.mark.parametrize("position", [0, 250, 499, 700])
async def test_a_row_that_shows_another_time_than_it_is_sorted_by_stops_no_walk(wish, shown: str, position: int):
    wish.orders = [row(number) for number in range(1200)]
    wish.shows = {wish.orders[position]["id"]: {"updated_at": shown}}
    ids, places = await a_walk()
    assert len(ids) >= 1199
    assert places == sorted(places)


async def test_a_page_that_is_not_sorted_still_says_so(wish):
    wish.sort, wish.orders = False, [row(2), row(1)]
    page = await a_page()
    assert (page.in_order, page.next, len(page.orders)) == (False, None, 2)


async def test_a_page_of_which_most_is_from_before_the_window_is_not_in_order(wish):
    answering(wish, *written(row(1), row(2), row(7200)))
    page = await a_page(OrderQuery(T + timedelta(hours=1)))
    assert (page.in_order, page.next) == (False, None)


async def test_a_list_that_never_ends_is_no_page(wish):
    answering(wish, b"0," * 6_000_000 + b"0")
    async with at_the_counter() as counter:
        with pytest.raises(Exception, match="rows"):
            await counter.shop.orders(OrderQuery(SINCE))


async def test_times_in_several_notations_are_one_order_of_times(wish):
    first = ("2026-11-20T10:00:00", "2026-11-20T15:30:01+05:30")
    then = ("2026-11-20T10:00:02Z", "2026-11-20T10:00:03.5Z")
    times = (*first, "2026-11-20T10:00:60Z", None, *then)
    rows = [an_order(number) | {"updated_at": time} for number, time in enumerate(times)]
    answering(wish, *written(*rows))

    page = await a_page()

    assert (page.in_order, len(page.orders), len(page.unreadable)) == (True, 4, 2)
    assert [order.updated_at for order in page.orders] == [T + timedelta(seconds=s) for s in (0, 1, 2, 3.5)]
    assert page.next == OrderQuery(T + timedelta(seconds=3.5))
