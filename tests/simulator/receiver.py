"""A subscriber on loopback that keeps what it is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from wish_simulator.server import running


@dataclass
class Message:
    headers: dict[str, str]
    body: bytes

    @property
    def events(self) -> list[Any]:
        events: list[Any] = msgspec.json.decode(self.body)
        return events


@dataclass
class Receiver:
    """Answers with `status` after `delay_s`."""

    status: int = 200
    delay_s: float = 0
    messages: list[Message] = field(default_factory=list)
    url: str = ""
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def first_message(self) -> None:
        async with asyncio.timeout(5):
            await self._arrived.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            part = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.messages.append(Message(headers, body))
        self._arrived.set()
        await asyncio.sleep(self.delay_s)
        location = [(b"location", b"/elsewhere")] if self.status == 302 else []
        await send({"type": "http.response.start", "status": self.status, "headers": location})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with running(app=receiver) as url:
        receiver.url = f"{url}/hook"
        yield receiver
