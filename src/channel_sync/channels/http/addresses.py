"""Addresses that somebody else chose for us: what they may look like, and what may be connected to.

Two walls. The text is checked before there is a call. The address that a name leads to is checked when the socket
is made, after DNS and for every single connection, so that no name can lead elsewhere the second time.
"""

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from aiohttp import AddrInfoType

_LONGEST = 4096
_VISIBLE = re.compile("[!-~]+")
_CONTROL = re.compile("%(?:[01][0-9a-fA-F]|7[fF])")
# What getaddrinfo may take for a number, and so for an IPv4 address: 127.1, 0x7f000001, 2130706433.
_ENDS_IN_A_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")
_HTTPS = 443

# Our own list: `ipaddress` calls some of these global (NAT64, 6to4, multicast, 192.0.0.8) and disagrees between
# versions. IANA's registries of special-purpose addresses, read in November 2026; of IPv6 only 2000::/3 is public.
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    )
)
_NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class BadAddress(ValueError):
    """The text is no address that may be called. The message says why and never repeats it."""


class BlockedAddress(OSError):
    """The name led to an address that is not on the public internet; no connection was made."""

    def __init__(self, *_: object) -> None:
        # The same words for every address of a name, so that the library raises this one for all of them.
        super().__init__("The address is not public.")


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Hosts by name: `files.example`, `*.files.example`, with a `:port` other than 443, or `*` for any by name."""

    names: Sequence[str]

    def allow(self, address: httpx.URL) -> bool:
        """Whether an https address is one of these."""
        port = _HTTPS if address.port is None else address.port
        host = address.raw_host.decode()
        host = f"[{host}]" if ":" in host else host
        return any(_matches(name.lower(), host, port) for name in self.names)


ANY_HOST = AllowedHosts(("*",))


def _matches(name: str, host: str, port: int) -> bool:
    if name == "*":
        is_a_name = not host.startswith("[") and not _ENDS_IN_A_NUMBER.search(host)
        return is_a_name and port == _HTTPS
    named_host, colon, named_port = name.rpartition(":") if not name.endswith("]") else ("", "", "")
    if not colon:
        named_host, named_port = name, str(_HTTPS)
    if str(port) != named_port:
        return False
    return host.endswith(named_host[1:]) if named_host.startswith("*.") else host == named_host


def checked_address(text: str, allowed: AllowedHosts, trusted: httpx.URL | None = None) -> httpx.URL:
    """The address in a text that somebody else wrote, parsed once; `BadAddress` if it may not be called.

    It is on https at an allowed host, or where `trusted` is, without user, fragment or characters that no address
    has.
    """
    if len(text) > _LONGEST or not _VISIBLE.fullmatch(text) or _CONTROL.search(text) or "#" in text:
        raise BadAddress("This is no address: too long, or with characters that none has.")
    try:
        address = httpx.URL(text)
    except httpx.InvalidURL:
        raise BadAddress("This is no address.") from None
    if not address.host or address.userinfo:
        raise BadAddress("The address has no host, or a user before it.")
    if trusted is not None and origin(address) == origin(trusted):
        return address
    if address.scheme != "https" or not allowed.allow(address):
        raise BadAddress("The address is not on https, or its host and port are not allowed.")
    return address


def origin(address: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port, which is None where it is the scheme's own."""
    return address.scheme, address.host, address.port


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_V4)
    return ip in _PUBLIC_V6 and not any(ip in network for network in _NOT_PUBLIC_V6)


def public_socket(info: AddrInfoType) -> socket.socket:
    """A socket to be connected to a resolved address; `BlockedAddress` if that is not public."""
    family, kind, protocol, _, (address, *_) = info
    if not is_public(str(address)):
        raise BlockedAddress
    return socket.socket(family=family, type=kind, proto=protocol)
