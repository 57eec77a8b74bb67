"""The outermost layer: a request id, one log line per request, the security headers, and a bare 500."""

import re
import time
import traceback

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from channel_sync.api.http.problems import answer
from channel_sync.domain.clock import utcnow
from channel_sync.domain.ids import is_id, new_id

_SANE_ID = re.compile(r"[A-Za-z0-9._:+=/@-]{1,128}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_HSTS = "max-age=31536000"
# In a request's state: the `HttpProblem` that the server found while it read the request.
REFUSAL = "refusal"

log = structlog.get_logger("channel_sync.api")


class RequestLog:
    """Names every request, logs it by route template, and lets no exception out."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self.app = app
        self.headers = {**_HEADERS, "Strict-Transport-Security": _HSTS} if https else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and account for it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(message, request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            refusal = scope["state"].get(REFUSAL)
            try:
                app = self.app if refusal is None else answer(scope, refusal)
                await app(scope, receive, send_named)
            except Exception as error:
                log.error("request_broke", error=type(error).__name__, frames=_frames(error))
                if not status:
                    await answer(scope, error)(scope, receive, send_named)
            _log_request(scope, status, time.perf_counter() - started)

    def _complete(self, message: Message, request_id: str) -> None:
        headers = MutableHeaders(scope=message)
        headers["X-Request-Id"] = request_id
        for name, value in self.headers.items():
            headers.setdefault(name, value)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).getlist("x-request-id")
    if len(given) == 1 and _SANE_ID.fullmatch(given[0]):
        return given[0]
    return new_id("req", utcnow())


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path_format", None)
    caller = scope["state"].get("caller")
    log.info(
        "request",
        method=scope["method"],
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 1),
        tenant=None if caller is None else caller.tenant,
        key_id=None if caller is None else caller.key_id,
        object_id=_object_id(scope),
    )


def _object_id(scope: Scope) -> str | None:
    """The id of ours that the path names. What else stands in a path, a SKU or a slip, stays out of the log."""
    parts = scope.get("path_params", {}).values()
    return next((part for part in parts if isinstance(part, str) and is_id(part)), None)


def _frames(error: Exception) -> list[str]:
    """Where it broke. The exception's own text may hold values, so it stays out of the log."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
