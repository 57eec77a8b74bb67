"""What asking many shops costs with nothing but sockets: one request each, the answer thrown away."""

import asyncio
import time
from urllib.parse import urlsplit

_REQUEST = b"GET /api/v3/orders?limit=500 HTTP/1.1\r\nHost: wish\r\nAuthorization: Bearer access\r\n\r\n"


async def raw_polls_s(url: str, shops: int, at_once: int) -> float:
    """Seconds for one request a shop, over so many connections that stay open."""
    address = urlsplit(url)
    assert address.hostname is not None
    connections = [await asyncio.open_connection(address.hostname, address.port) for _ in range(at_once)]
    left = iter(range(shops))

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in left:
            writer.write(_REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.rpartition(b"Content-Length: ")[2]))
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(ask(reader, writer) for reader, writer in connections))
    return time.perf_counter() - started
