"""What a request's head may be, counted while it is read."""

import itertools

import pytest
from tests.http.running import GET, Running, check_shape, posting, running

from channel_sync.domain.addresses import public_address
from channel_sync.http.bounds import MAX_AHEAD, MAX_HEAD, MAX_HEADERS

BROKEN = {
    "no HTTP at all": b"\x16\x03\x01\x00\xf5\x01\x00\x00\xf1\x03\x03\r\n\r\n",
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown method": b"FOO / HTTP/1.1\r\nHost: here\r\n\r\n",
    "a version that is none": b"GET / HTTP/3.7\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    "a control character": b"GET / HTTP/1.1\r\nHost: \x01\r\n\r\n",
    "two lengths": b"PUT /stock HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length and chunks": b"PUT /stock HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "an address that is none": b"GET http://[::1 HTTP/1.1\r\nHost: here\r\n\r\n",
}


def head(size: int) -> bytes:
    """A request of this size."""
    filler = size - len(GET) - len(b"X: \r\n")
    return GET[:-2] + b"X: " + b"a" * filler + b"\r\n\r\n"


async def test_a_head_of_the_largest_size_is_read(world):
    async with running(world.app) as server, server.client() as client:
        await client.send(head(MAX_HEAD))
        assert (await client.answer()).status == 200
        await client.send(GET)
        assert (await client.answer()).status == 200


async def test_a_byte_more_is_431(world):
    async with running(world.app) as server:
        check_shape(await server.exchange(head(MAX_HEAD + 1)), 431, "headers_too_large")


async def test_headers_without_end_are_cut_while_they_come(world):
    header = b"X-Header: " + b"a" * 990 + b"\r\n"
    sent = 0

    def headers() -> itertools.chain[bytes]:
        return itertools.chain([GET[:-2]], itertools.repeat(header, 20_000))

    async with running(world.app) as server, server.client() as client:
        for piece in headers():
            client.writer.write(piece)
            sent += len(piece)
            await client.writer.drain()
            if client.reader.at_eof() or client.writer.transport.is_closing() or sent > 8 * MAX_HEAD:
                break
        check_shape(await client.answer(), 431, "headers_too_large")
        assert await client.is_closed()


async def test_an_address_without_end_is_414(world):
    async with running(world.app) as server:
        check_shape(await server.exchange(b"GET /" + b"a" * MAX_HEAD), 414, "uri_too_long")


@pytest.mark.parametrize(("number", "status"), [(MAX_HEADERS - 1, 200), (MAX_HEADERS, 431)])
async def test_so_many_headers_and_no_more(world, number, status):
    async with running(world.app) as server, server.client() as client:
        await client.send(GET[:-2] + b"a:\r\n" * number + b"\r\n")
        assert (await client.answer()).status == status


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_http_is_a_400_like_any_other(world, sent):
    async with running(world.app) as server:
        check_shape(await server.exchange(sent), 400, "malformed_request")


async def test_an_answer_that_the_server_gives_itself_tells_browsers_of_https(world):
    world.set(address=public_address("https://sync.example"))
    async with running(world.app) as server:
        answer = await server.exchange(BROKEN["an unknown method"])
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_what_came_before_is_answered_first(world):
    async with running(world.app) as server, server.client() as client:
        await client.send(GET + GET + BROKEN["a control character"] + GET)
        answers = [await client.answer() for _ in range(3)]
        assert await client.is_closed()
    assert [answer.status for answer in answers] == [200, 200, 400]


async def test_requests_may_be_sent_ahead_but_not_without_end(world):
    async with running(world.app) as server, server.client() as client:
        await client.send(GET * 5000)
        answers = [await client.answer() for _ in range(MAX_AHEAD + 2)]
        assert await client.is_closed()
    assert {answer.status for answer in answers[:-1]} == {200}
    check_shape(answers[-1], 429, "rate_limited")


async def test_a_request_that_offers_another_protocol_is_answered_in_this_one(world):
    offer = GET[:-2] + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    async with running(world.app) as server:
        assert (await server.exchange(offer)).status == 200


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


async def chunked(world, server: Running, *rest: bytes):
    """The answer to a body in chunks."""
    start = (await posting(world, 0)).replace(b"Content-Length: 0\r\n\r\n", CHUNKED)
    async with server.client() as client:
        await client.send(start, *rest)
        return await client.answer()


BODY = b'{"items": [{"sku": "A", "available": 1}]}'
WHOLE = b"%x\r\n%s\r\n0\r\n" % (len(BODY), BODY)


async def test_what_follows_a_body_is_no_header(world):
    async with running(world.app) as server:
        answer = await chunked(world, server, WHOLE + b"X-Request-Id: from-the-end\r\n\r\n")
    assert answer.status == 200
    assert answer.headers["x-request-id"] != "from-the-end"


@pytest.mark.parametrize(
    "rest",
    [
        [WHOLE, *[b"X-Header: " + b"a" * 990 + b"\r\n"] * 300],
        [b"1;", *[b"a" * 1000] * 300],
        [b"zz\r\n"],
        [b"1\r\nab\r\n"],
    ],
    ids=["an end without end", "an extension without end", "no length", "a wrong length"],
)
async def test_a_body_that_is_framed_wrongly_is_400(world, rest):
    async with running(world.app) as server:
        check_shape(await chunked(world, server, *rest), 400, "malformed_request")


async def test_a_body_in_chunks_of_one_byte_is_read(world):
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY + b" " * 30_000)
    async with running(world.app) as server:
        assert (await chunked(world, server, pieces + b"0\r\n\r\n")).status == 200
