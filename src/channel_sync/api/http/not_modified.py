"""304 wherever an answer has an ETag that the caller has already."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Of an answer without a body nothing is told that would describe one.
_OF_A_BODY = ("content-length", "content-type", "content-encoding", "accept-ranges")


class NotModified:
    """Leaves the body away where `If-None-Match` names its ETag. Whoever sets an ETag need not know of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a conditional GET on, and its answer unless the caller has it."""
        known = Headers(scope=scope).get("if-none-match") if scope["type"] == "http" else None
        if known is None or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        is_known = False

        async def send_news(message: Message) -> None:
            nonlocal is_known
            if message["type"] == "http.response.start":
                is_known = message["status"] == 200 and _names(known, Headers(scope=message).get("etag"))
                if is_known:
                    message = _without_body(message)
            elif is_known:
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, send_news)


def _names(if_none_match: str, etag: str | None) -> bool:
    """Whether the header names the tag. It is compared weakly: a proxy that compresses marks our tags as weak."""
    if etag is None:
        return False
    tags = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def _without_body(start: Message) -> Message:
    kept = [(name, value) for name, value in start["headers"] if name.decode("latin-1").lower() not in _OF_A_BODY]
    return {**start, "status": 304, "headers": kept}
