"""The orders of a file, each as the JSON text that a page has it in.

How the files of the order download are written is not published (v3 document 3.0.65, July 2026; v2 gave CSV). They
are taken as lines of JSON, as an array, or as CSV whose columns are called as the members of an order.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from channel_sync.channels.wish.caps import MOST_REPLY_BYTES
from channel_sync.channels.wish.connection import WishConnection
from channel_sync.channels.wish.csv_orders import CsvOrders
from channel_sync.channels.wish.replies import not_understood

_QUOTE = b'"'


async def order_texts(connection: WishConnection, url: str) -> AsyncGenerator[bytes, None]:
    """The texts one by one; `ReplyNotUnderstood` for a file that is none of the three."""
    async with aclosing(connection.lines(url)) as lines:
        first = await anext(lines, None)
        if first is None:
            return
        if first.lstrip().startswith(b"{"):
            yield first.strip()
            async for line in lines:
                yield line.strip()
            return
        table = CsvOrders.of_header(first)
        if table is None:
            raise not_understood("unexpected_shape", "The file is no list of orders.")
        async for record in _records(lines):
            yield table.text(record)


async def _records(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines put together where a cell has several: within quotes, whose number is odd until they close."""
    record, is_open = b"", False
    async for line in lines:
        is_open ^= line.count(_QUOTE) % 2 == 1
        if not record and not is_open and not line.strip():
            continue
        record = (record + line)[: MOST_REPLY_BYTES + 1]
        if is_open and len(record) <= MOST_REPLY_BYTES:
            record += b"\n"
            continue
        yield record
        record, is_open = b"", False
    if record:
        yield record
