"""Answers that are written for long: each has its place among those that may be under way at once."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class PlacedAnswer(StreamingResponse):
    """An answer that has its place until it is written, or its reader gone."""

    def __init__(
        self,
        parts: AsyncIterator[bytes],
        place: AbstractContextManager[None],
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(parts, headers=headers, media_type=media_type)
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write it; 429 where there is no place."""
        with self._place:
            await super().__call__(scope, receive, send)
