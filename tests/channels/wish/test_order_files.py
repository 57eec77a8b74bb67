"""The files of an order download, however they are written: their orders are those that pages have."""

import json
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
import respx
from tests.channels.factories import BASE, an_order, at_the_counter

from channel_sync.channels.wish.caps import MOST_ORDER_BYTES
from channel_sync.channels.wish.order_texts import order_texts
from channel_sync.channels.wish.orders import read_order
from channel_sync.channels.wish.read_pages import read_page
from channel_sync.domain.errors import ChannelError, ReplyNotUnderstood
from channel_sync.domain.job_state import JobState
from channel_sync.domain.order_files import OrderJob
from channel_sync.domain.orders import ChannelOrder, OrderPage, UnreadPage

FILE = f"{BASE}/files/1"
ORDERS = [
    an_order(number, full_address={"shipping_detail": {"name": f'Zoë "{number}",\n\nx'}}) for number in range(3)
]
TEXTS = [json.dumps(order, separators=(",", ":")).encode() for order in ORDERS]


def table(rows: Sequence[Sequence[str]], delimiter: str = ",", end: str = "\n") -> bytes:
    quoted = ([f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in rows)
    return (end.join(delimiter.join(row) for row in quoted) + end).encode()


def as_table(orders: Sequence[dict], **how: str) -> bytes:
    """A row for each order; what is no text stands there as JSON."""
    names = list(orders[0])
    compact = [
        [v if isinstance(v, str) else json.dumps(v, separators=(",", ":")) for v in o.values()] for o in orders
    ]
    return table([names, *compact], **how)


async def texts_of(content: bytes) -> list[bytes]:
    with respx.mock as router:
        router.get(FILE).respond(content=content)
        async with at_the_counter() as counter:
            return [text async for text in order_texts(counter.connection, FILE)]


async def rows_of(content: bytes, passed: int = 0) -> tuple[list[str | None], list[str | None], int]:
    """Ids of the orders that can be read and of those that cannot, and how many values that is."""
    good, bad, values = list[str | None](), list[str | None](), 0
    with respx.mock as router:
        router.get(FILE).respond(content=content)
        async with at_the_counter() as counter:
            job = OrderJob(JobState.READY, 3, (FILE,), "req-1")
            async for part in counter.shop.order_file(job, 0, passed):
                page = read_page(part.page) if isinstance(part.page, UnreadPage) else part.page
                good += [order.channel_order_id for order in page.orders]
                bad += [order.channel_order_id for order in page.unreadable]
                values += part.values
    return good, bad, values


WAYS = {
    "lines": b"\n".join(TEXTS),
    "lines of another system": b"\xef\xbb\xbf\r\n" + b"\r\n\r\n".join(TEXTS) + b"\r\n",
    "array": b"[" + b",".join(TEXTS) + b"]",
    "array spread out": b"[\n  " + b" ,\n  ".join(TEXTS) + b"\n]\n",
    "table": as_table(ORDERS),
    "table of another system": b"\xef\xbb\xbf" + as_table(ORDERS, delimiter=";", end="\r\n"),
    "table by tabs": as_table(ORDERS, delimiter="\t"),
}


@pytest.mark.parametrize("way", WAYS)
async def test_the_orders_of_a_file_are_those_of_a_page_byte_by_byte(way: str):
    texts = await texts_of(WAYS[way])

    assert texts == TEXTS
    assert [read_order(text, None) for text in texts] == [read_order(text, None) for text in TEXTS]


async def test_the_columns_of_a_table_may_be_ways_into_an_order():
    columns = ["id", "state", "updated_at", "product_information.sku", "product_information/id"]
    payment = "order_payment.general_payment_details"
    columns += [
        f"{payment}.product_quantity",
        f"{payment}.payment_total.amount",
        "full_address.shipping_detail.zipcode",
    ]
    row = ["650000000000000000000e12", "APPROVED", "2026-11-20T10:00:00Z", "0012", "7", "2", "20.25", "00412"]

    [text] = await texts_of(table([columns, row]))
    order = read_order(text, None)

    assert isinstance(order, ChannelOrder)
    assert (order.channel_order_id, order.content.lines[0].sku, order.content.lines[0].quantity) == (
        row[0],
        "0012",
        2,
    )
    assert str(order.merchant_revenue.amount if order.merchant_revenue else None) == "20.25"
    assert order.address is not None
    assert order.address.postcode == "00412"


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body>maintenance</body></html>",
        b"Order Id,Date,SKU\n1,2,3\n",
        b"id,name\n1,2\n",
        b"id,updated_at,id.x\n1,2,3\n",
        b"id,updated_at,id\n1,2,3\n",
        b"[[1],[2]]",
        b'["a"]',
        b"7",
        b"null",
        b"\x1f\x8b\x08\x00",
        b"PK\x03\x04",
        b'id,updated_at,"\n1,2\n',
    ],
)
async def test_a_file_that_is_no_list_of_orders_is_not_understood(content: bytes):
    with pytest.raises(ReplyNotUnderstood) as raised:
        await rows_of(content)
    assert raised.value.code == "unexpected_shape"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]", b" [ ] ", b"id,updated_at\n"])
async def test_a_file_without_orders_has_none(content: bytes):
    assert await rows_of(content) == ([], [], 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\n".join(TEXTS)[:-20], "file_truncated"),
        (b"[" + b",".join(TEXTS), "not_json"),
        ((b"[" + b",".join(TEXTS) + b"]")[:-20], "not_json"),
        (as_table(ORDERS)[:-20], "file_truncated"),
    ],
)
async def test_a_file_that_breaks_off_is_not_understood(content: bytes, code: str):
    with pytest.raises(ChannelError) as raised:
        await rows_of(content)
    assert raised.value.code == code


ODD = (b"not json", b'{"id":"x"', b"5", b'{"id":"deep","a":' + b"[" * 3000 + b"]" * 3000 + b"}", b"{}")
LARGE = b'{"id":"large","a":"' + b"x" * MOST_ORDER_BYTES + b'"}'


@pytest.mark.parametrize("odd", [*ODD, LARGE], ids=lambda odd: odd[:12].decode())
@pytest.mark.parametrize("place", [1, 2])
async def test_a_value_that_is_no_order_costs_no_other(odd: bytes, place: int):
    lines = [*TEXTS[:place], odd, *TEXTS[place:]]

    good, bad, values = await rows_of(b"\n".join(lines))

    assert (good, len(bad), values) == ([order["id"] for order in ORDERS], 1, 4)


@pytest.mark.parametrize("row", [b'"1","2"', b'"a" b,"2"', b"1,2,3,4,5,6,7,8,9,10"])
async def test_a_row_that_does_not_fit_its_table_costs_no_other(row: bytes):
    head, *rows = as_table(ORDERS[:1]).split(b"\n", 1)

    good, bad, values = await rows_of(head + b"\n" + row + b"\n" + rows[0])

    assert (good, len(bad), values) == ([ORDERS[0]["id"]], 1, 2)


async def test_what_is_no_utf8_in_a_table_is_what_it_is_in_json():
    content = as_table([an_order(1, transaction_id="ab")]).replace(b'"ab"', b'"a\xff"')

    [text] = await texts_of(content)
    order = read_order(text, None)

    assert isinstance(order, ChannelOrder)
    assert (order.transaction_id, order.sanitised, b"\xff" in order.raw) == ("a\ufffd", True, True)


@pytest.mark.parametrize("passed", [0, 1, 2, 3, 9])
async def test_values_that_are_done_are_passed_over(passed: int):
    good, _, values = await rows_of(b"\n".join(TEXTS), passed)
    assert (good, values) == ([order["id"] for order in ORDERS[passed:]], max(0, 3 - passed))


async def test_a_large_file_comes_in_parts_and_knows_the_request():
    parts: list[tuple[OrderPage | UnreadPage, int]] = []

    async def lines() -> AsyncIterator[bytes]:
        for number in range(1201):
            yield b"oops\n" if number == 700 else json.dumps(an_order(number)).encode() + b"\n"

    with respx.mock as router:
        router.get(FILE).mock(return_value=httpx.Response(200, content=lines()))
        async with at_the_counter() as counter:
            job = OrderJob(JobState.READY, 1200, (FILE,), "req-1")
            parts = [(part.page, part.values) async for part in counter.shop.order_file(job, 0, 0)]

    assert [values for _, values in parts] == [500, 0, 500, 201]
    assert all(len(page.content) < 1_100_000 for page, _ in parts if isinstance(page, UnreadPage))
    [odd] = [page for page, _ in parts if isinstance(page, OrderPage)]
    assert [(one.reason, one.channel_request_id, one.raw) for one in odd.unreadable] == [
        ("not_json", "req-1", b"oops")
    ]
