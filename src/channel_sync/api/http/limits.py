"""How much a caller may send, and how often. Plain ASGI: nothing here waits for a body."""

import re
from math import ceil

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from channel_sync.api.http.buckets import Allowance, Buckets
from channel_sync.api.http.problems import HttpProblem, answer, malformed
from channel_sync.api.http.request_log import REFUSAL
from channel_sync.domain.keys import Caller

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
    """Budgets of a key and of its tenant: so many requests per second, twice that at once. 0 turns one off."""

    def __init__(self, app: ASGIApp, per_s: float, tenant_per_s: float) -> None:
        self.app = app
        self.key, self.tenant = _Budget("key", per_s), _Budget("tenant", tenant_per_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its key and its tenant have budget left."""
        caller: Caller | None = scope.get("state", {}).get("caller")
        budgets = [] if caller is None else self._budgets(caller)
        if not budgets:
            await self.app(scope, receive, send)
            return
        # One that its key turns away is not taken from the tenant's.
        taken: list[tuple[_Budget, Allowance]] = []
        for budget, whose in budgets:
            taken.append((budget, budget.buckets.take(whose)))
            if not taken[-1][1].allowed:
                break

        async def send_budgets(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit"] = ", ".join(budget.left(allowance) for budget, allowance in taken)
                headers["RateLimit-Policy"] = ", ".join(budget.policy for budget, _ in budgets)
            await send(message)

        if taken[-1][1].allowed:
            await self.app(scope, receive, send_budgets)
        else:
            await answer(scope, too_many(taken[-1][1]))(scope, receive, send_budgets)

    def _budgets(self, caller: Caller) -> "list[tuple[_Budget, str]]":
        both = ((self.key, caller.key_id), (self.tenant, caller.tenant))
        return [(budget, whose) for budget, whose in both if budget.per_s > 0]


class _Budget:
    """A budget in the words of the RateLimit headers, and what each of those who have one has left."""

    def __init__(self, name: str, per_s: float) -> None:
        self.name, self.per_s = name, per_s
        self.buckets = Buckets(per_s, max(1.0, per_s * 2))
        window_s = ceil(self.buckets.burst / per_s) if per_s > 0 else 1
        self.policy = f'"{name}";q={int(self.buckets.burst)};w={window_s}'

    def left(self, allowance: Allowance) -> str:
        """What the header says of it."""
        return f'"{self.name}";r={allowance.remaining};t={ceil(allowance.wait_s)}'


def too_many(allowance: Allowance) -> HttpProblem:
    """The refusal of a caller whose budget is spent."""
    headers = {"Retry-After": str(max(1, ceil(allowance.wait_s)))}
    return HttpProblem(429, "rate_limited", "Too many requests; wait as long as Retry-After says.", headers)
