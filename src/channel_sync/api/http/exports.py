"""Answers that are written while they are read: what every export shares."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from channel_sync.api.http.access import CurrentCaller
from channel_sync.api.http.head import looks_ahead
from channel_sync.api.http.placed import PlacedAnswer
from channel_sync.api.http.places import Places
from channel_sync.domain.errors import StorageUnavailable

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
        self._is_wanted = not looks_ahead(request)

    def answer(self, parts: AsyncIterator[bytes], filename: str, media_type: str) -> PlacedAnswer:
        """The answer, as a file of that name, which is cut off when the process is about to stop."""
        wanted = self._until_stopped(parts) if self._is_wanted else _nothing()
        headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
        return PlacedAnswer(wanted, self._places.place(self._caller), media_type, headers)

    async def _until_stopped(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for part in parts:
            yield part
            if self._health.draining:
                # Cut off at once it can be seen to be; a stop would not wait for its end either.
                raise StorageUnavailable("The process is about to stop.")


CurrentExports = Annotated[Exports, Depends(Exports)]


async def _nothing() -> AsyncIterator[bytes]:
    yield b""
