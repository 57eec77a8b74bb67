"""Answers that are written while they are read: what every export shares."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from channel_sync.api.http.access import CurrentCaller
from channel_sync.api.http.places import Places
from channel_sync.domain.errors import StorageUnavailable
from channel_sync.domain.keys import Caller

# What the contract says of a body that no schema is for.
TEXT = {"schema": {"type": "string"}}
CSV = "text/csv; charset=utf-8; header=present"


class Exports:
    """The exports of the app that got a request, for its caller."""

    def __init__(self, request: Request, caller: CurrentCaller) -> None:
        self._caller = caller
        self._places: Places = request.app.state.exports
        self._health = request.app.state.services.health
        # Whoever asks for the head alone is not to make us read it all.
        self._is_wanted = "prefetch" not in request.headers.get("sec-purpose", "")

    def answer(self, parts: AsyncIterator[bytes], filename: str, media_type: str) -> StreamingResponse:
        """The answer, as a file of that name, which is cut off when the process is about to stop."""
        wanted = self._until_stopped(parts) if self._is_wanted else _nothing()
        return _Export(wanted, filename, media_type, self._places, self._caller)

    async def _until_stopped(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for part in parts:
            yield part
            if self._health.draining:
                # Cut off at once it can be seen to be; a stop would not wait for its end either.
                raise StorageUnavailable("The process is about to stop.")


CurrentExports = Annotated[Exports, Depends(Exports)]


class _Export(StreamingResponse):
    """The answer, which has its place until it is written or its reader gone."""

    def __init__(
        self, parts: AsyncIterator[bytes], filename: str, media_type: str, places: Places, caller: Caller
    ) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
        super().__init__(parts, headers=headers, media_type=media_type)
        self._places = places
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write it."""
        with self._places.place(self._caller):
            await super().__call__(scope, receive, send)


async def _nothing() -> AsyncIterator[bytes]:
    yield b""
