"""HEAD wherever GET is: the same answer without its body."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Whoever asks for the head alone only looks ahead: where a GET uses something up, this keeps it from doing so.
_LOOKS_AHEAD = (b"sec-purpose", b"prefetch")


class HeadAsGet:
    """Answers HEAD as what would answer GET; FastAPI's routes know only the methods that they name."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a HEAD on as a GET, and of its answer everything but the body."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        # A copy: the server goes by its own scope, in which this stays a HEAD.
        asked = {**scope, "method": "GET", "headers": [_LOOKS_AHEAD, *scope["headers"]]}
        await self.app(asked, receive, send_head)


def looks_ahead(request: HTTPConnection) -> bool:
    """Whether the body may be thrown away: a GET like this must neither use anything up nor take long."""
    return "prefetch" in request.headers.get("sec-purpose", "")


def with_head(methods: set[str]) -> set[str]:
    """The methods of a path, HEAD among them where there is GET."""
    return methods | {"HEAD"} if "GET" in methods else methods
