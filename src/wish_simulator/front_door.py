"""The way in to every operation: journal, faults, token, limiter, scope, envelope, headers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from wish_simulator.calls import Call, Operation
from wish_simulator.faults import Fault
from wish_simulator.grants import AccessToken
from wish_simulator.ids import object_id
from wish_simulator.journal import Entry
from wish_simulator.marketplace import Marketplace
from wish_simulator.refusals import (
    NOT_AUTHORISED,
    TOKEN_EXPIRED,
    TOKEN_MISSING,
    TOKEN_REVOKED,
    RateLimited,
    Refusal,
    TokenRefusal,
    UnknownId,
)
from wish_simulator.replies import (
    DroppedConnection,
    JsonReply,
    SlowDrip,
    cut,
    error_body,
    gateway_error,
    success_body,
    truncated,
)

# Slow, but with the answer the contract promises.
FAITHFUL = ("delay", "slow_drip")
ANONYMOUS = ("", "")
LANGUAGES = ("en-US", "zh-CN")
# The contract gives these operations no status 400, so a bad token can only be a 401.
WITHOUT_400 = ("/api/v3/currencies", "/api/v3/products/variations/colors")


@dataclass
class Visit:
    """One call on its way through: who came in, and under which name he is counted."""

    operation: Operation
    request: Request
    entry: Entry
    body: bytes = b""
    key: tuple[str, str] = ANONYMOUS
    token: AccessToken | None = None

    @property
    def language(self) -> str:
        asked = self.request.headers.get("accept-language", "")
        return LANGUAGES[1] if asked.lower().startswith("zh") else LANGUAGES[0]

    def mark_unfaithful(self) -> None:
        """Marks an answer that breaks the contract on purpose, for whoever checks answers against it."""
        self.request.scope["unfaithful"] = True


def front_door(market: Marketplace, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def enter(request: Request) -> Response:
        query = dict(request.query_params)
        entry = market.journal.open(object_id(), request.method, request.url.path, query)
        entry.started_ms = time.time_ns() // 1_000_000
        visit = Visit(operation, request, entry)
        visit.body = await request.body()
        entry.body_bytes = len(visit.body)
        try:
            with _counted_refresh(market, visit):
                return await _through_faults(market, visit)
        finally:
            entry.finished_ms = time.time_ns() // 1_000_000

    return enter


@contextmanager
def _counted_refresh(market: Marketplace, visit: Visit) -> Iterator[None]:
    grant = None
    if visit.operation.path.endswith("/refresh_token"):
        grant = market.grants.grant_of_refresh_token(visit.request.query_params.get("refresh_token", ""))
    if grant is None:
        yield
        return
    with market.journal.refreshing(f"{grant.app.client_id} {grant.merchant.id}"):
        yield


async def _through_faults(market: Marketplace, visit: Visit) -> Response:
    method, path = visit.request.method, visit.request.url.path
    await market.faults.wait_if_held(method, path, "before")
    if market.switches.latency_s:
        await asyncio.sleep(market.switches.latency_s)
    fault = market.faults.take(method, path)
    if fault is not None:
        visit.entry.fault = fault.way
        if fault.way not in FAITHFUL:
            visit.mark_unfaithful()
    if fault is not None and not fault.has_effect:
        reply = await _instead(market, visit, fault)
    else:
        reply = _reply(market, visit)
        await market.faults.wait_if_held(method, path, "after")
        reply = reply if fault is None else await _spoiled(market, visit, fault, reply)
    visit.entry.status = reply.status_code
    return reply


async def _instead(market: Marketplace, visit: Visit, fault: Fault) -> Response:
    """What comes back when the call is not even carried out."""
    match fault.way:
        case "drop":
            return DroppedConnection()
        case "html_502":
            return gateway_error()
        case "custom":
            return Response(fault.text, fault.status, fault.headers, "application/json")
        case "delay":
            await asyncio.sleep(fault.seconds)
            return _reply(market, visit)
        case _:
            return _refusal_reply(market, visit, Refusal(fault.code, "refused on demand", fault.status))


async def _spoiled(market: Marketplace, visit: Visit, fault: Fault, reply: Response) -> Response:
    """The answer to a call that had its effect, spoiled on the way back."""
    match fault.way:
        case "drop_after":
            return DroppedConnection()
        case "timeout_after":
            await asyncio.sleep(fault.seconds)
            return DroppedConnection()
        case "slow_drip":
            return SlowDrip(reply, fault.seconds)
        case "truncated":
            return truncated(reply)
        case "cut":
            return cut(reply)
        case _:
            return _refusal_reply(market, visit, Refusal(fault.code, "refused on demand", fault.status))


def _reply(market: Marketplace, visit: Visit) -> Response:
    """The faithful answer. Everything in here happens at once, between two turns of the loop."""
    market.catch_up()
    try:
        data = visit.operation.serve(_admitted(market, visit))
    except Refusal as refusal:
        return _refusal_reply(market, visit, refusal)
    visit.entry.code = 0
    headers = _headers(market, visit)
    return (
        Response(status_code=204, headers=headers) if data is None else JsonReply(success_body(data), 200, headers)
    )


def _admitted(market: Marketplace, visit: Visit) -> Call:
    request, operation = visit.request, visit.operation
    if operation.is_open:
        visit.key = (request.query_params.get("client_id", ""), "")
    else:
        visit.token = _authenticated(market, visit)
        visit.key = (visit.token.grant.app.client_id, visit.token.grant.merchant.id)
        visit.entry.client_id, visit.entry.merchant_id = visit.key
        visit.entry.token_generation = visit.token.generation
    if not market.limiter.take(visit.key):
        market.journal.counters.rate_limited += 1
        raise RateLimited(market.switches.limit_code, "rate limit used up", market.switches.limit_status)
    if operation.scope and visit.token and operation.scope not in visit.token.grant.scopes:
        raise TokenRefusal(NOT_AUTHORISED, f"the token lacks the scope {operation.scope}")
    base_url = str(request.base_url).rstrip("/")
    path = dict(request.path_params)
    return Call(market, request.method, path, request.query_params, visit.body, base_url, visit.token)


def _authenticated(market: Marketplace, visit: Visit) -> AccessToken:
    scheme, _, value = visit.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise Refusal(TOKEN_MISSING, "no access token in the authorization header", 401)
    try:
        return market.grants.authenticate(value.strip())
    except TokenRefusal as refusal:
        market.journal.counters.revoked_token_uses += refusal.code == TOKEN_REVOKED
        market.journal.counters.expired_token_uses += refusal.code == TOKEN_EXPIRED
        raise


def _refusal_reply(market: Marketplace, visit: Visit, refusal: Refusal) -> Response:
    visit.entry.code = refusal.code
    switches = market.switches
    headers = _headers(market, visit)
    if isinstance(refusal, RateLimited):
        reset = market.limiter.reset_header(visit.key)
        headers |= {} if reset is None else {"Wish-Rate-Limit-Reset": reset}
    status = 200 if switches.errors_as_200 else _status(market, visit, refusal)
    if status in (200, 404) or (status == 429 and "Wish-Rate-Limit-Reset" not in headers):
        visit.mark_unfaithful()
    body = error_body(refusal.code, refusal.message, visit.language, switches.string_codes)
    return JsonReply(body, status, headers)


def _status(market: Marketplace, visit: Visit, refusal: Refusal) -> int:
    match refusal:
        case TokenRefusal():
            return 401 if visit.operation.path in WITHOUT_400 else market.switches.token_error_status
        case UnknownId():
            return market.switches.unknown_id_status
        case _:
            return refusal.status


def _headers(market: Marketplace, visit: Visit) -> dict[str, str]:
    return {
        "Wish-Request-Id": visit.entry.request_id,
        "Wish-Rate-Limit-Remaining": str(market.limiter.remaining(visit.key)),
        "Content-Language": visit.language,
    }
