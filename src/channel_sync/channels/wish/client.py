"""Calls to Wish: limiter, seats, breaker, retries, journal."""

import asyncio
import random
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import TypeVar
from urllib.parse import urlencode

import httpx

from channel_sync.channels.http.addresses import ANY_HOST, AllowedHosts
from channel_sync.channels.http.breaker import Breaker
from channel_sync.channels.http.call_sources import LeasedCalls, OwnCalls
from channel_sync.channels.http.exchange import MEGABYTE, ReplyBounds, asking
from channel_sync.channels.http.limiter import Limiter
from channel_sync.channels.http.off_loop import off_loop
from channel_sync.channels.http.retries import with_retries
from channel_sync.channels.wish.exchange import exchange
from channel_sync.channels.wish.replies import Answer, Family, Reply, read_answer
from channel_sync.domain.budgets import SharedBudget
from channel_sync.domain.calls import Call, CallContext
from channel_sync.domain.channel import Environment, ShopAccess
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import (
    AccessTokenRejected,
    ChannelError,
    ChannelUnavailable,
    RateLimited,
    RunStopped,
)

T = TypeVar("T")
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


def full_jitter(seconds: float) -> float:
    """Anything from zero to `seconds`: many clients that failed together do not come back together."""
    return random.uniform(0, seconds)


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What Wish and this process bear. `concurrency` must not exceed what the transport bears."""

    rate_per_s: float = 5.0
    concurrency: int = 64
    call: ReplyBounds = field(default_factory=ReplyBounds)
    file: ReplyBounds = field(default_factory=lambda: ReplyBounds(600.0, 256 * MEGABYTE))


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `is_repeatable`: sending it twice does what sending it once does."""

    family: Family
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    is_repeatable: bool = True


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a call came to; without an answer there is only an error."""

    result: Reply | ChannelError
    answer: Answer | None = None
    code: int | None = None

    @property
    def is_outage(self) -> bool:
        return isinstance(self.result, ChannelUnavailable) and not isinstance(self.result, RateLimited)


class WishClient:
    """All calls of this process to Wish go through one of these."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        base_urls: Mapping[Environment, str],
        limits: ClientLimits,
        now: Callable[[], datetime] = utcnow,
        jitter: Callable[[float], float] = full_jitter,
        shared: SharedBudget | None = None,
        file_hosts: AllowedHosts = ANY_HOST,
    ) -> None:
        self.transport = transport
        self.file_hosts = file_hosts
        self.limits = limits
        self.now = now
        self.jitter = jitter
        self._base_urls = {environment: url.rstrip("/") for environment, url in base_urls.items()}
        self._own_limiter = Limiter(OwnCalls(), limits.rate_per_s, jitter)
        self._shared_limiter = (
            self._own_limiter if shared is None else Limiter(LeasedCalls(shared), limits.rate_per_s, jitter)
        )
        self._breakers = {environment: Breaker() for environment in base_urls}
        self._seats = asyncio.Semaphore(limits.concurrency)
        self._in_flight: set[asyncio.Task[object]] = set()

    def base_url(self, environment: Environment) -> str:
        """Where Wish is in this environment, without a slash at the end."""
        return self._base_urls[environment]

    async def call(self, request: Request, access: ShopAccess, context: CallContext) -> Reply:
        """The reply to a call with an access token. Any ChannelError, or RunStopped after a cancel."""
        return await with_retries(
            lambda: self._attempt(request, access, context), request.is_repeatable, context, self.jitter
        )

    async def call_without_token(self, request: Request, environment: Environment) -> Reply:
        """The reply to a token call: sent once, nothing noted, for its path and body are made of secrets.

        The breaker is not asked, for an authorization code does not live long enough to wait for it, and told of
        answers only: how many shops get none is counted by their own calls.
        """
        await self._seats.acquire()
        outcome = await self.to_its_end(self._converse(request, environment, {}))
        if not outcome.is_outage:
            self._breakers[environment].answered()
        return _reply_of(outcome)

    async def to_its_end(self, call: Coroutine[None, None, T]) -> T:
        """The result of work that has taken a seat. Cancelling the caller lets the work run on to its own end."""
        return await asyncio.shield(self.start(call))

    def start(self, call: Coroutine[None, None, T]) -> asyncio.Task[T]:
        """Work that has taken a seat, running on its own; the seat is given back when it ends."""
        task = asyncio.create_task(call)
        self._in_flight.add(task)
        task.add_done_callback(self._leave)
        return task

    async def take_seat(self, context: CallContext) -> None:
        """Wait for one of the process's seats; `start` gives it back. RunStopped once the context is cancelled."""
        await self._seats.acquire()
        try:
            context.raise_if_cancelled()
        except RunStopped:
            self._seats.release()
            raise

    def _leave(self, task: asyncio.Task[T]) -> None:
        self._in_flight.discard(task)
        self._seats.release()

    async def _attempt(self, request: Request, access: ShopAccess, context: CallContext) -> Reply:
        headers = {"Authorization": f"Bearer {_sendable(access)}"}
        await self._limiter(access).turn(access.integration_id, context)
        breaker = self._breakers[access.environment]
        breaker.check(access.integration_id, context.is_a_persons)
        await self.take_seat(context)
        outcome = await self.to_its_end(self._journaled(request, access.environment, headers, context))
        (breaker.failed if outcome.is_outage else breaker.answered)(access.integration_id)
        return _reply_of(self._budgeted(outcome, access))

    def _limiter(self, access: ShopAccess) -> Limiter:
        """Only of an integration there is a budget to share."""
        return self._own_limiter if access.is_nobodys else self._shared_limiter

    async def _journaled(
        self, request: Request, environment: Environment, headers: dict[str, str], context: CallContext
    ) -> _Outcome:
        at, started = self.now(), monotonic()
        outcome = await self._converse(request, environment, headers)
        answer = outcome.answer
        context.calls.append(
            Call(
                at=at,
                method=request.method,
                path=request.path,
                status=None if answer is None else answer.status,
                code=outcome.code,
                duration_ms=round((monotonic() - started) * 1000),
                channel_request_id=None if answer is None else answer.request_id,
            )
        )
        return outcome

    async def _converse(self, request: Request, environment: Environment, headers: dict[str, str]) -> _Outcome:
        if request.body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        url = self.base_url(environment) + request.path
        if request.query:
            url = f"{url}?{urlencode(request.query)}"
        sent = asking(request.method, url, headers, request.body)
        try:
            answer = await exchange(self.transport, sent, self.limits.call, self.now())
        except ChannelError as error:
            return _Outcome(error)
        code, result = await off_loop(len(answer.body), lambda: read_answer(request.family, answer))
        return _Outcome(result, answer, code)

    def _budgeted(self, outcome: _Outcome, access: ShopAccess) -> _Outcome:
        """The outcome after the budget has heard of it; a refusal for the rate says how long the pause is."""
        if outcome.answer is None:
            return outcome
        limiter, refusal = self._limiter(access), outcome.result
        if not isinstance(refusal, RateLimited):
            limiter.welcome(access.integration_id, outcome.answer.remaining)
            return outcome
        wait_s = limiter.pause(access.integration_id, outcome.answer.wait_s)
        return _Outcome(RateLimited(refusal.message, wait_s, refusal.request_id))


def _reply_of(outcome: _Outcome) -> Reply:
    if isinstance(outcome.result, ChannelError):
        raise outcome.result
    return outcome.result


def _sendable(access: ShopAccess) -> str:
    """The token, if it can stand in a header at all: httpx repeats a value that cannot in its error."""
    token = access.token.value
    if not _TOKEN.fullmatch(token):
        raise AccessTokenRejected("malformed_token", "The access token has characters no token has.")
    return token
