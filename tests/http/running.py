"""A server on a real socket, and clients that are no good."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import create_server
from typing import Any

from fastapi import FastAPI
from tests.api.world import World

from channel_sync.http.bounds import ConnectionBounds
from channel_sync.http.server import answering

QUICK = ConnectionBounds(head_s=1, body_s=1, answer_s=1.5, unread_s=1)
GET = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *pieces: bytes, apart_s: float = 0) -> None:
        """Send pieces one after the other for as long as anybody takes them."""
        for piece in pieces:
            try:
                self.writer.write(piece)
                await self.writer.drain()
            except ConnectionError:
                return
            await asyncio.sleep(apart_s)

    async def answer(self, within_s: float = 10) -> Answer:
        """The next answer."""
        async with asyncio.timeout(within_s):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
            body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(int(lines[0].split()[1]), headers, body)

    async def is_closed(self, within_s: float = 10) -> bool:
        """Wait for the end of the connection; what still comes is not looked at."""
        try:
            async with asyncio.timeout(within_s):
                while await self.reader.read(65_536):
                    pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True)
class Running:
    """Where a server listens."""

    port: int

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield client
        finally:
            client.writer.transport.abort()

    async def exchange(self, *pieces: bytes) -> Answer:
        """What is answered to these bytes on a connection of their own, which is closed then."""
        async with self.client() as client:
            await client.send(*pieces)
            answer = await client.answer()
            assert await client.is_closed()
            return answer


@asynccontextmanager
async def running(app: FastAPI, bounds: ConnectionBounds = QUICK) -> AsyncIterator[Running]:
    """The app behind the server of the service."""
    with create_server(("127.0.0.1", 0)) as listener:
        async with answering(app, listener, bounds):
            yield Running(listener.getsockname()[1])


async def posting(world: World, length: int) -> bytes:
    """The head of a request with a good key and a body of so many bytes."""
    return (
        f"PUT /stock HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {await world.key()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def check_shape(answer: Answer, status: int, code: str) -> None:
    """An error like any other of ours."""
    problem = answer.json()
    assert (answer.status, problem["code"], problem["status"]) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == problem["request_id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["connection"] == "close"
