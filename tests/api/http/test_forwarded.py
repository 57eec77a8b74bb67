"""Whose address counts: forwarded headers of trusted proxies, read from the right."""

import pytest

from channel_sync.api.http.forwarded import TrustedProxies, client_of

PROXIES = ("10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48")
PROXY, CLIENT, OTHER = "10.1.2.3", "203.0.113.7", "198.51.100.9"


async def seen(peer, *forwarded, proto=(), trusted=PROXIES):
    """The client and the scheme that the app behind it sees."""
    found = {}

    async def app(scope, receive, send):
        found.update(scope)

    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    headers += [(b"x-forwarded-proto", value.encode("latin-1")) for value in proto]
    client = None if peer is None else (peer, 1234)
    scope = {"type": "http", "scheme": "http", "client": client, "headers": headers}
    await TrustedProxies(app, trusted)(scope, _receive, _send)
    return found


async def _receive():
    raise AssertionError("Nobody asks for a body here.")


async def _send(message):
    raise AssertionError("Nobody answers here.")


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ((CLIENT,), CLIENT),
        ((f"{OTHER}, {CLIENT}",), CLIENT),
        ((OTHER, CLIENT), CLIENT),
        ((f"{CLIENT}, 10.9.9.9, 192.0.2.1",), CLIENT),
        ((f"{CLIENT}:4711",), CLIENT),
        (("[2001:db8:2::7]:443",), "2001:db8:2::7"),
        (("2001:DB8:2::7",), "2001:db8:2::7"),
        (("2001:db8:1::9, 10.0.0.1",), "2001:db8:1::9"),
        ((f"::ffff:{CLIENT}",), CLIENT),
        ((f"{CLIENT}, ::ffff:10.0.0.9",), CLIENT),
        ((f"{CLIENT},, ",), CLIENT),
    ],
)
async def test_the_right_most_address_that_is_no_proxy_is_the_client(forwarded, client):
    assert (await seen(PROXY, *forwarded))["client"][0] == client


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ((), PROXY),
        (("",), PROXY),
        (("unknown",), PROXY),
        ((f"{CLIENT}, unknown",), PROXY),
        ((f"{CLIENT}, not an address, 10.0.0.9",), "10.0.0.9"),
        (("1.2.3.4.5", "\xff\x00"), PROXY),
        ((f"{CLIENT}, 10.0.0.9" + ", 10.0.0.8" * 100,), "10.0.0.8"),
        (("9" * 5000,), PROXY),
    ],
)
async def test_what_cannot_be_read_moves_nobody_beyond_the_hops_that_can(forwarded, client):
    assert (await seen(PROXY, *forwarded))["client"][0] == client


@pytest.mark.parametrize("peer", [CLIENT, "2001:db8:3::1", "", "testclient", None])
async def test_nobody_else_is_believed(peer):
    found = await seen(peer, OTHER, proto=("https",))
    assert (found["client"] and found["client"][0], found["scheme"]) == (peer, "http")


async def test_without_the_setting_nobody_is_believed():
    found = await seen(PROXY, OTHER, proto=("https",), trusted=())
    assert (found["client"][0], found["scheme"]) == (PROXY, "http")


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [
        (("https",), "https"),
        (("HTTPS",), "https"),
        (("http, https",), "https"),
        (("gopher",), "http"),
        ((), "http"),
    ],
)
async def test_the_scheme_is_what_the_last_proxy_says(proto, scheme):
    assert (await seen(PROXY, CLIENT, proto=proto))["scheme"] == scheme


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        (CLIENT, CLIENT),
        ("2001:db8:2:3:4:5:6:7", "2001:db8:2:3::/64"),
        ("::ffff:203.0.113.7", CLIENT),
        ("testclient", "unknown"),
    ],
)
def test_a_subscriber_of_ipv6_has_one_budget_however_many_addresses(address, counted_as):
    assert client_of({"client": (address, 1)}) == counted_as


def test_a_peer_without_an_address_is_counted_all_the_same():
    assert client_of({"client": None}) == "unknown"
