import asyncio
import json
from contextlib import aclosing

import httpx
import pytest
import respx
from tests.channels.factories import BASE, a_server, at_the_counter, http_answer

from channel_sync.channels.http.exchange import ReplyBounds
from channel_sync.channels.wish.caps import MOST_REPLY_BYTES
from channel_sync.domain.errors import (
    ChannelError,
    ChannelRefused,
    ChannelUnavailable,
    ReplyNotUnderstood,
    RunStopped,
)

FILE = "https://storage.test/file?signature=CNRY-signature"


async def lines_of(answer, address=FILE, **changes):
    with respx.mock as router:
        route = router.get(address)
        route.mock(**({"side_effect": answer} if isinstance(answer, list) else {"return_value": answer}))
        async with at_the_counter(**changes) as counter:
            return [json.loads(line) async for line in counter.connection.lines(address)]


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1}\n{"a":2}\n',
        b'{"a":1}\r\n\r\n{"a":2}',
        b'\xef\xbb\xbf{"a":1}\n{"a":2}',
        b'[{"a":1},{"a":2}]',
        b' \n[\n {"a":1},\n {"a":2}\n]\n',
    ],
)
async def test_lines_and_arrays_read_alike(content):
    assert await lines_of(httpx.Response(200, content=content)) == [{"a": 1}, {"a": 2}]


async def test_an_empty_file_has_no_lines():
    assert await lines_of(httpx.Response(200, content=b"")) == []


async def test_the_access_token_stays_here():
    with respx.mock as router:
        route = router.get(FILE).respond(content=b"{}")
        async with at_the_counter() as counter:
            assert [line async for line in counter.connection.lines(FILE)] == [b"{}"]
    assert "Authorization" not in route.calls.last.request.headers


async def test_a_download_is_noted_without_its_signature():
    with respx.mock as router:
        router.get(FILE).respond(content=b"{}")
        async with at_the_counter() as counter:
            assert [line async for line in counter.connection.lines(FILE)] == [b"{}"]
    (call,) = counter.context.calls
    assert (call.method, call.path, call.status) == ("GET", "/file", 200)


@pytest.mark.parametrize(
    "address",
    [
        "http://storage.test/f",
        "http://wish.test/f",
        "file:///etc/passwd",
        "ftp://x/f",
        "//x/f",
        "",
        "https://",
        "http://[",
        "https://user:CNRY@storage.test/f",
        "https://storage.test/%00",
        "https://storage.test:8443/f",
        "https://127.0.0.1/f",
        "https://[::1]/f",
    ],
)
async def test_a_file_elsewhere_than_on_https_or_at_wish_is_not_fetched(address):
    async with at_the_counter() as counter:
        with pytest.raises(ReplyNotUnderstood) as raised:
            assert [line async for line in counter.connection.lines(address)] == []
    assert raised.value.code == "bad_file_address"
    assert counter.context.calls == []


async def test_a_file_at_wishs_own_address_is_fetched():
    assert await lines_of(httpx.Response(200, content=b"{}"), f"{BASE}/files/1") == [{}]


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (httpx.Response(403), ChannelRefused, "http_403"),
        (httpx.Response(503), ChannelUnavailable, "server_error"),
        (httpx.Response(302, headers={"Location": "https://trap.test"}), ReplyNotUnderstood, "redirect"),
        (httpx.Response(200, content=b'[{"a":1},'), ReplyNotUnderstood, "not_json"),
    ],
)
async def test_a_file_that_is_none_says_why(answer, kind, code):
    with pytest.raises(ChannelError) as raised:
        await lines_of(answer)
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert "CNRY" not in f"{raised.value!r}"


async def test_a_host_that_stumbles_is_asked_again():
    answers = [httpx.ConnectError("x"), httpx.Response(503), httpx.Response(200, content=b"{}")]
    assert await lines_of(answers) == [{}]


async def test_a_file_may_be_larger_than_a_reply_but_not_without_end():
    content = b"\n".join([b'{"a":1}'] * 2000)
    assert len(await lines_of(httpx.Response(200, content=content), call=ReplyBounds(5, 1000))) == 2000
    with pytest.raises(ReplyNotUnderstood) as raised:
        await lines_of(httpx.Response(200, content=content), file=ReplyBounds(5, 10_000))
    assert raised.value.code == "reply_too_large"


async def test_a_line_larger_than_any_value_is_cut_and_the_others_are_as_they_were():
    long = b'"' + b"x" * 5_000_000 + b'"'
    content = b"\n".join((b'{"a":1}', long, b'{"a":2}', long))
    with respx.mock as router:
        router.get(FILE).respond(content=content)
        async with at_the_counter() as counter:
            lines = [line async for line in counter.connection.lines(FILE)]
    assert lines[::2] == [b'{"a":1}', b'{"a":2}']
    assert all(long.startswith(line) and len(line) == MOST_REPLY_BYTES + 1 for line in lines[1::2])


async def test_an_array_may_be_larger_than_a_reply_and_is_handed_on_as_it_comes():
    content = b"[" + b",".join([b'{"a":"]}\\"["}'] * 2000) + b"]"
    elements = await lines_of(httpx.Response(200, content=content), call=ReplyBounds(5, 1000))
    assert elements == [{"a": ']}"['}] * 2000


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_an_array_is_cut_alike_however_it_arrives(size):
    content = rb' [ {"a":"\\"}, "\"],[" , [[1],{"b":"\u0022"}] ,{"c":"\\\""}, 5 ] '

    async def dripping():
        for start in range(0, len(content), size):
            yield content[start : start + size]

    assert await lines_of(httpx.Response(200, content=dripping())) == json.loads(content)


BROKEN_ARRAYS = (b"[", b'["a"', b'["a', b'["\\', b"[[1]", b"[1]]", b"[1],2", b"[1] x", b"[] []")


@pytest.mark.parametrize("content", BROKEN_ARRAYS)
async def test_an_array_that_does_not_end_where_the_file_does_is_refused(content):
    with pytest.raises(ReplyNotUnderstood) as raised:
        await lines_of(httpx.Response(200, content=content))
    assert raised.value.code == "not_json"


async def test_an_element_larger_than_any_value_is_cut_and_the_others_are_as_they_were():
    long = b'"' + b"x," * 1_000_000 + b'"'
    content = b"[1," + long + b", 2 ," + b"[" * 2_000_000 + b"]" * 2_000_000 + b"]"
    with respx.mock as router:
        router.get(FILE).respond(content=content)
        async with at_the_counter() as counter:
            elements = [element async for element in counter.connection.lines(FILE)]
    assert elements[::2] == [b"1", b"2"]
    assert [len(element) for element in elements[1::2]] == [MOST_REPLY_BYTES + 1] * 2


@pytest.mark.parametrize("content", [b"[" + b"0," * 20_000 + b"0]", b"0\n" * 20_000])
async def test_a_file_of_crumbs_is_refused(content):
    with pytest.raises(ReplyNotUnderstood) as raised:
        await lines_of(httpx.Response(200, content=content))
    assert raised.value.code == "too_many_rows"


async def test_a_cancel_ends_the_wait_for_a_host_that_is_silent():
    async def silent(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}\n")
        await writer.drain()
        await asyncio.sleep(3)

    async with (
        a_server(silent) as address,
        at_the_counter(address) as counter,
        aclosing(counter.connection.lines(f"{address}/f")) as lines,
    ):
        assert await anext(lines) == b"{}"
        asyncio.get_running_loop().call_later(0.05, counter.context.cancel)
        with pytest.raises(RunStopped):
            await asyncio.wait_for(anext(lines), 1)


async def test_a_file_that_breaks_off_is_an_error_after_its_lines():
    async def cut(reader, writer):
        writer.write(http_answer(b'{"a":1}\n{"a":2}\n')[:-4])
        await writer.drain()

    async with a_server(cut) as address, at_the_counter(address) as counter:
        seen = []
        with pytest.raises(ChannelUnavailable):
            seen += [line async for line in counter.connection.lines(f"{address}/f")]


async def test_a_reader_that_goes_away_gives_its_seat_back():
    async def endless(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"{}\n" * 1000)
            await writer.drain()
            await asyncio.sleep(0)

    async with a_server(endless) as address, at_the_counter(address, concurrency=1) as counter:
        for _ in range(3):
            async with aclosing(counter.connection.lines(f"{address}/f")) as lines:
                assert await asyncio.wait_for(anext(lines), 2) == b"{}"


async def test_a_reader_cancelled_while_it_waits_gives_its_seat_back():
    async def silent_then_over(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.1)

    async with a_server(silent_then_over) as address, at_the_counter(address, concurrency=1) as counter:

        async def read():
            return [line async for line in counter.connection.lines(f"{address}/f")]

        reading = asyncio.create_task(read())
        await asyncio.sleep(0.03)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await asyncio.wait_for(read(), 2) == []
