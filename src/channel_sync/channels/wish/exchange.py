"""One HTTP exchange with Wish, and what its headers say."""

from datetime import datetime
from time import monotonic

import httpx

from channel_sync.channels.http.exchange import ReplyBounds, answering, chunks
from channel_sync.channels.wish.replies import Answer
from channel_sync.channels.wish.times import wait_from_headers


async def exchange(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, bounds: ReplyBounds, now: datetime
) -> Answer:
    """The whole answer; ChannelUnavailable when there is none, ReplyNotUnderstood when it has no end."""
    deadline = monotonic() + bounds.seconds
    async with answering(transport, request) as response:
        # Grown in place: joined from pieces, a large body would be in memory twice.
        body = bytearray()
        async for chunk in chunks(response, deadline, bounds.max_bytes):
            body += chunk
        return Answer(
            status=response.status_code,
            body=body,
            is_html=_is_html(response, body),
            request_id=response.headers.get("Wish-Request-Id"),
            remaining=_whole_number(response.headers.get("Wish-Rate-Limit-Remaining")),
            wait_s=wait_from_headers(
                response.headers.get("Wish-Rate-Limit-Reset"), response.headers.get("Retry-After"), now
            ),
        )


def _is_html(response: httpx.Response, body: bytearray) -> bool:
    return "text/html" in response.headers.get("Content-Type", "") or body[:64].lstrip().startswith(b"<")


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None
