"""Whatever a member of a reply is, every call to Wish ends in a value or in an error that says what to do next."""

import gzip
from collections.abc import Callable
from operator import attrgetter

import msgspec
import pytest
from tests.hostile.hostile_wish import HostileWish, client_of, envelope
from tests.hostile.mutations import mutants
from tests.hostile.operations import OPERATIONS, Operation
from tests.hostile.watch import keep_watch

from channel_sync.channels.wish.client import WishClient
from channel_sync.domain.errors import ChannelError, ChannelUnavailable

NAME = attrgetter("name")
# A page of a gateway, and a job that gets ready for nobody: no word of Wish's shows what is wrong.
MAY_PASS = ("gateway_page", "order_download_late", "order_download_failed")
NUL = rb"\u0000"
BODIES = {
    "nothing": b"",
    "null": b"null",
    "list": b"[]",
    "number": b"7",
    "words": b"fine",
    "page": b"<html>maintenance</html>",
    "cut": b'{"code":0,"data":{"id":"x',
    "two": b'{"code":0,"data":{}}{"code":0,"data":{}}',
    "mark": b"\xef\xbb\xbf" + envelope(b"{}"),
    "utf16": '{"code":0,"data":{}}'.encode("utf-16"),
    "no_data": b'{"code":0}',
    "code_null": b'{"code":null,"data":{}}',
    "code_list": b'{"code":[0],"data":{}}',
    "code_huge": b'{"code":' + b"9" * 5000 + b',"data":{}}',
    "code_far": b'{"code":99999999999,"message":"no","data":{}}',
    "message_deep": b'{"code":5,"message":' + b"[" * 3000 + b"]" * 3000 + b',"data":{}}',
    "data_twice": b'{"code":0,"data":{},"data":null}',
    "deep": envelope(b"[" * 100_000 + b"]" * 100_000),
}
# Data of about that many bytes, made to be work.
LARGE: dict[str, Callable[[int], bytes]] = {
    "brackets": lambda size: b"[" * size,
    "stairs": lambda size: b"[0," * min(size // 4, 300_000) + b"0" + b"]" * min(size // 4, 300_000),
    "zeros": lambda size: b"[" + b"0," * (size // 2) + b"0]",
    "objects": lambda size: b"[" + b"{}," * (size // 3) + b"0]",
    "members": lambda size: b"{" + b'"a":0,' * (size // 6) + b'"a":0}',
    "nuls": lambda size: b'[{"id":"' + rb"\u0000" * (size // 6) + b'"}]',
    "halves": lambda size: b'[{"id":"' + rb"\ud800" * (size // 6) + b'"}]',
    "backslashes": lambda size: b'[{"id":"' + rb"\\" * (size // 2) + b'"}]',
    "not_utf8": lambda size: b'[{"id":"' + b"\xff" * size + b'"}]',
    "no_end": lambda size: b'[{"id":"' + b"x" * size,
    "digits": lambda size: b"[" + b"1" * size + b",[[[]]]]",
    "lines": lambda size: b"\n" * size,
    "padding": lambda size: b"[[]," + b" " * (size // 2) + b',{"a" ' + b" " * (size // 2) + b":[]}]",
}
# More than anything may have; all but as much as an order, or any other row, may have.
SIZES = (15_000_000, 260_000, 1_000_000)
# One of each way of reading.
READERS = (
    "orders",
    "order job's file",
    "catalogue job's file",
    "stock job's file",
    "changed products",
    "product",
    "account",
    "warehouses",
)
READ_APART = [operation for operation in OPERATIONS if operation.name in READERS]


async def outcome(operation: Operation, client: WishClient) -> object:
    """What the call came to: a value that can be stored, or a classed error. Anything else fails the test."""
    try:
        ended = await operation.call(client)
    except ChannelError as error:
        ended = error
    if not isinstance(ended, ChannelError):
        assert NUL not in msgspec.json.encode(ended)
    # Whatever else one shop's replies are, an outage of Wish's is none of it.
    assert not isinstance(ended, ChannelUnavailable) or ended.code in MAY_PASS, ended
    return ended


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAME)
async def test_a_good_reply_is_a_value(operation: Operation):
    wish = HostileWish()
    client = client_of(wish)
    ended = await outcome(operation, client)
    assert not isinstance(ended, ChannelError)
    assert operation.route in wish.asked


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAME)
async def test_a_member_gone_wrong_is_a_value_or_a_classed_error(operation: Operation):
    wish = HostileWish()

    async def ask_for_each() -> None:
        for kind, path, text in mutants(operation.good):
            wish.spoilt[operation.route] = text if operation.is_file else envelope(text)
            try:
                await outcome(operation, client)
            except BaseException as error:
                error.add_note(f"{kind} at {path}")
                raise

    client = client_of(wish)
    await keep_watch(ask_for_each)


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAME)
async def test_a_body_gone_wrong_is_a_value_or_a_classed_error(operation: Operation):
    wish = HostileWish()

    async def ask_for_each() -> None:
        for body in BODIES.values():
            wish.spoilt[operation.route] = body
            await outcome(operation, client)

    client = client_of(wish)
    await keep_watch(ask_for_each)


@pytest.mark.parametrize("data", LARGE)
@pytest.mark.parametrize("operation", READ_APART, ids=NAME)
async def test_large_data_made_to_be_work_holds_nobody_up(operation: Operation, data: str):
    # Made beforehand: to write so much takes longer than to refuse it.
    texts = [LARGE[data](size) for size in SIZES]
    bodies = texts if operation.is_file else [envelope(text) for text in texts]
    wish = HostileWish()

    async def ask_for_each() -> None:
        for body in bodies:
            wish.spoilt[operation.route] = body
            await outcome(operation, client)

    client = client_of(wish)
    await keep_watch(ask_for_each)


@pytest.mark.parametrize("operation", READ_APART, ids=NAME)
async def test_a_bomb_goes_off_at_the_cap(operation: Operation):
    bomb = gzip.compress(bytes(100_000_000), 1)
    wish = HostileWish({operation.route: bomb}, {"Content-Encoding": "gzip"})

    async def ask() -> None:
        ended = await outcome(operation, client)
        # A file may be larger than a reply; what it has of lines that are too long is left out.
        assert isinstance(ended, ChannelError) or operation.is_file

    client = client_of(wish)
    await keep_watch(ask)
