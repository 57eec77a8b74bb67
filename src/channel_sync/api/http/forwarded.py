"""Who is at the other end when a proxy stands between: forwarded headers, believed from named proxies only."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

Address = IPv4Address | IPv6Address
_SCHEMES = (b"http", b"https")
# Whoever has IPv6 has a network of at least this size, and an address of it for every request.
_SUBSCRIBER_BITS = 64
# Nobody has more proxies in a row; what is left of them was written by the client.
_MOST_HOPS = 32


class TrustedProxies:
    """Puts the client's address and scheme into the scope where a trusted proxy tells them.

    Each proxy appends the address that it was called from, so the client is the right-most one that is no trusted
    proxy. What cannot be read is no address: then the last hop that could be read is the client.
    """

    def __init__(self, app: ASGIApp, trusted: Iterable[str]) -> None:
        self.app = app
        self._trusted = [ip_network(network) for network in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as the client's own."""
        if scope["type"] == "http" and self._trusted and scope.get("client"):
            self._read(scope)
        await self.app(scope, receive, send)

    def _read(self, scope: Scope) -> None:
        peer = _address(scope["client"][0])
        if peer is None or not self._trusts(peer):
            return
        client = self._client(peer, _values(scope, b"x-forwarded-for"))
        if client != peer:
            scope["client"] = (str(client), 0)
        schemes = _values(scope, b"x-forwarded-proto")
        if schemes and schemes[-1].lower() in _SCHEMES:
            scope["scheme"] = schemes[-1].lower().decode()

    def _client(self, peer: Address, hops: list[bytes]) -> Address:
        client = peer
        for hop in reversed(hops[-_MOST_HOPS:]):
            address = _address(_without_port(hop.decode("latin-1")))
            if address is None:
                return client
            client = address
            if not self._trusts(client):
                return client
        return client

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def client_of(scope: Scope) -> str:
    """Whose budget a request without a credential is counted against: an address, or a subscriber's network."""
    client = scope.get("client")
    address = _address(client[0]) if client else None
    if address is None:
        return "unknown"
    if address.version == 6:
        return str(IPv6Network((address, _SUBSCRIBER_BITS), strict=False))
    return str(address)


def _values(scope: Scope, name: bytes) -> list[bytes]:
    """The values of a header that is a list, however many lines it came in."""
    lines = [value for key, value in scope["headers"] if key == name]
    return [value.strip() for line in lines for value in line.split(b",") if value.strip()]


def _without_port(text: str) -> str:
    """`203.0.113.7:443` and `[2001:db8::7]:443` without the port, which some proxies write."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, _ = text.partition(":")
    return host if colon and text.count(":") == 1 else text


def _address(text: str) -> Address | None:
    try:
        # A zone, as in fe80::1%eth0, means something on one machine only.
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
