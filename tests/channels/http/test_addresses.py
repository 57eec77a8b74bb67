"""Addresses that somebody else chose: what may be connected to, and what is no address to begin with."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest
from tests.channels.factories import NOW, http_answer

from channel_sync.channels.http.addresses import ANY_HOST, AllowedHosts, BadAddress, checked_address, is_public
from channel_sync.channels.http.exchange import ReplyBounds, asking
from channel_sync.channels.http.transport import GuardedTransport
from channel_sync.channels.wish.exchange import exchange
from channel_sync.domain.errors import ReplyNotUnderstood


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1"),
        *("192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1"),
        *("100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254"),
        *("fe80::1", "fe80::1%lo", "fec0::1", "ff02::1"),
    ],
)
def test_what_is_not_on_the_public_internet_is_not_public(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "52.95.110.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_what_is_on_the_public_internet_is_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize(
    "text",
    [
        *("", "//x/f", "x/f", "https://", "http://[", "https:///f", "ftp://files.test/f", "file:///etc/passwd"),
        *("http://files.test/f", "https://user@files.test/f", "https://user:password@files.test/f"),
        *(
            "https://files.test/a b",
            "https://files.test/\x00",
            "https://files.test/%00",
            "https://files.test/f%0Ag",
        ),
        *(
            "https://files.test/f?a=%1f",
            "https://files.test/\x7f",
            "https://filés.test/f",
            "https://files.test/f#g",
        ),
        *("https://files.test:8443/f", "https://files.test:0/f", "https://files.test:99999/f"),
        *("https://2130706433/f", "https://0x7f000001/f", "https://0177.0.0.1/f", "https://127.1/f"),
        *("https://127.0.0.1/f", "https://127.0.0.1./f", "https://[::1]/f", "https://8.8.8.8/f"),
        "https://files.test/" + "x" * 5000,
    ],
)
def test_what_is_no_plain_public_address_is_refused(text: str):
    with pytest.raises(BadAddress):
        checked_address(text, ANY_HOST)


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ("*", "https://files.test/f?signature=a%2Fb%3D&x=%E2%82%AC"),
        ("*", "https://FILES.test:443/f"),
        ("files.test", "https://files.test/f"),
        ("*.files.test", "https://a.b.files.test/f"),
        ("files.test:8443", "https://files.test:8443/f"),
        ("127.0.0.1:8443", "https://127.0.0.1:8443/f"),
        ("[2606:4700::1]", "https://[2606:4700::1]/f"),
    ],
)
def test_a_host_that_is_named_is_allowed(named: str, text: str):
    assert checked_address(text, AllowedHosts((named,))).path == "/f"


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ("files.test", "https://other.test/f"),
        ("files.test", "https://files.test:8443/f"),
        ("files.test:8443", "https://files.test/f"),
        ("*.files.test", "https://files.test/f"),
        ("*.files.test", "https://evilfiles.test/f"),
        ("files.test", "https://files.test.evil.test/f"),
    ],
)
def test_a_host_that_is_not_named_is_refused(named: str, text: str):
    with pytest.raises(BadAddress):
        checked_address(text, AllowedHosts((named,)))


@asynccontextmanager
async def a_trap(host: str):
    """A listener, its address, and the connections that were made to it."""
    reached: list[int] = []

    async def serve(reader, writer):
        reached.append(1)
        writer.write(http_answer(b"{}"))
        writer.close()

    server = await asyncio.start_server(serve, host, 0)
    async with server:
        yield server.sockets[0].getsockname()[1], reached


@pytest.mark.parametrize("asked", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]"])
async def test_nobody_is_connected_to_who_is_not_public(asked: str):
    async with a_trap("127.0.0.1") as (port, reached), GuardedTransport(1, ()) as transport:
        request = asking("GET", f"http://{asked}:{port}/f")
        with pytest.raises(ReplyNotUnderstood) as raised:
            await exchange(transport, request, ReplyBounds(), NOW)
    assert raised.value.code == "blocked_address"
    assert reached == []


async def test_an_origin_that_the_operator_named_may_be_anywhere_and_only_that_one():
    async with (
        a_trap("127.0.0.1") as (port, reached),
        a_trap("127.0.0.1") as (other, untouched),
        GuardedTransport(1, (f"http://127.0.0.1:{port}/base",)) as transport,
    ):
        fine = asking("GET", f"http://127.0.0.1:{port}/f")
        assert (await exchange(transport, fine, ReplyBounds(), NOW)).status == 200
        for address in (f"http://127.0.0.1:{other}/f", f"http://localhost:{port}/f"):
            with pytest.raises(ReplyNotUnderstood):
                await exchange(transport, asking("GET", address), ReplyBounds(), NOW)
    assert (reached, untouched) == ([1], [])


async def test_an_origin_without_a_port_is_no_word_for_the_other_ports_of_its_host():
    async with a_trap("127.0.0.1") as (port, reached), GuardedTransport(1, ("http://127.0.0.1",)) as transport:
        with pytest.raises(ReplyNotUnderstood):
            await exchange(transport, asking("GET", f"http://127.0.0.1:{port}/f"), ReplyBounds(), NOW)
    assert reached == []


def test_the_addresses_of_httpx_and_ours_are_the_same_host():
    """What is checked is what is connected to: the parsed address is handed on, never its text."""
    assert isinstance(checked_address("https://files.test/f", ANY_HOST), httpx.URL)
