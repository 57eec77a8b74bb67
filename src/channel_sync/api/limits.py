"""How much a caller may send, and how often. Plain ASGI: nothing here waits for a body."""

import re
from math import ceil

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from channel_sync.api.buckets import Allowance, Buckets
from channel_sync.api.problems import HttpProblem, answer, malformed
from channel_sync.api.request_log import REFUSAL

MAX_BODY = 1024 * 1024
MAX_STOCK_BODY = 8 * 1024 * 1024
MAX_FORM = 16 * 1024
MAX_QUERY_FIELDS = 100
_FORMS = re.compile(r"/[^/]+/(authorise|callback)")


class BodyCap:
    """Counts the body as it streams in, so that an honest, a missing and a lying length end alike.

    What the server itself finds wrong with the body becomes the handler's error here, too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counted body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        cap = body_cap(scope)
        refusal = _refusal(Headers(scope=scope), cap) or _refusal_of_query(scope)
        if refusal is not None:
            await answer(scope, refusal)(scope, receive, send)
            return
        seen = 0

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            refusal: HttpProblem | None = scope["state"].get(REFUSAL)
            if refusal is not None:
                raise refusal
            seen += len(message.get("body", b""))
            if seen > cap:
                raise _too_large(cap)
            return message

        await self.app(scope, receive_counted, send)


def body_cap(scope: Scope) -> int:
    """How many bytes the body of a request may have."""
    if (scope["method"], scope["path"]) == ("PUT", "/stock"):
        return MAX_STOCK_BODY
    return MAX_FORM if _FORMS.fullmatch(scope["path"]) else MAX_BODY


def _refusal_of_query(scope: Scope) -> HttpProblem | None:
    if scope["query_string"].count(b"&") < MAX_QUERY_FIELDS:
        return None
    return malformed("too_many_parameters", f"A query may have {MAX_QUERY_FIELDS} parameters.")


def _refusal(headers: Headers, cap: int) -> HttpProblem | None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        return HttpProblem(415, "content_encoding_unsupported", "Send the body without a content encoding.")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        return HttpProblem(400, "malformed_length", "Content-Length is not a number.")
    return _too_large(cap) if int(length[:12]) > cap else None


def _too_large(cap: int) -> HttpProblem:
    return HttpProblem(413, "body_too_large", f"The body may have {cap} bytes here.")


class RateLimit:
    """A budget of requests per key: `per_s` on average, twice that at once. 0 turns it off."""

    def __init__(self, app: ASGIApp, per_s: float) -> None:
        self.app = app
        self.off = per_s <= 0
        self.buckets = Buckets(per_s, max(1.0, per_s * 2))
        window_s = ceil(self.buckets.burst / per_s) if per_s > 0 else 1
        self.policy = f'"key";q={int(self.buckets.burst)};w={window_s}'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its key has budget left."""
        caller = scope.get("state", {}).get("caller")
        if self.off or caller is None:
            await self.app(scope, receive, send)
            return
        allowance = self.buckets.take(caller.key_id)

        async def send_budget(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit"] = f'"key";r={allowance.remaining};t={ceil(allowance.wait_s)}'
                headers["RateLimit-Policy"] = self.policy
            await send(message)

        if allowance.allowed:
            await self.app(scope, receive, send_budget)
        else:
            await answer(scope, too_many(allowance))(scope, receive, send_budget)


def too_many(allowance: Allowance) -> HttpProblem:
    """The refusal of a caller whose budget is spent."""
    headers = {"Retry-After": str(max(1, ceil(allowance.wait_s)))}
    return HttpProblem(429, "rate_limited", "Too many requests; wait as long as Retry-After says.", headers)
