"""Who may call: a credential becomes a tenant and scopes before anything else of the request is read."""

import re
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import Depends, Request, Security, params
from fastapi.security import HTTPBearer, SecurityScopes
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from channel_sync.api.http.buckets import Buckets
from channel_sync.api.http.forwarded import client_of
from channel_sync.api.http.limits import too_many
from channel_sync.api.http.problems import HttpProblem, answer
from channel_sync.api.http.tokens import Issuer, Tokens
from channel_sync.api.http.unauthorised import Unauthorised
from channel_sync.domain.errors import ChannelSyncError
from channel_sync.domain.keys import Caller, key_hash
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_every_tenant, for_tenant

# A revoked key works at most this much longer, on every replica.
KEY_CACHE_S = 0.5
MAX_CACHED_KEYS = 10_000
MAX_CREDENTIAL = 8192
# Wrong credentials per client address: enough for a clumsy set-up, far too few to guess.
GUESSES_PER_S = 2.0
GUESSES_AT_ONCE = 200
_KEY = re.compile(r"csk_[A-Za-z0-9_-]{20,200}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

BEARER = HTTPBearer(
    auto_error=False, scheme_name="bearer", description="An API key (`csk_…`), or a JWT of the configured issuer."
)


class Authenticator:
    """Finds the caller behind a credential; a good API key is remembered for half a second."""

    def __init__(self, database: Database, issuer: Issuer | None) -> None:
        self._database = database
        self._tokens = None if issuer is None else Tokens(issuer)
        self._known: dict[bytes, tuple[Caller, float]] = {}

    async def caller(self, credential: str) -> Caller:
        """Who the credential belongs to; `Unauthorised` if it is not good."""
        if _KEY.fullmatch(credential):
            return await self._key_caller(key_hash(credential))
        if self._tokens is not None and _TOKEN.fullmatch(credential):
            return await self._tokens.caller(credential)
        raise Unauthorised("token_unknown")

    async def _key_caller(self, hashed: bytes) -> Caller:
        known = self._known.get(hashed)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        self._known.pop(hashed, None)
        with for_every_tenant():
            async with self._database.read() as work:
                key = await work.api_keys.find(hashed)
        if key is None:
            raise Unauthorised("token_unknown")
        if key.revoked_at is not None:
            raise Unauthorised("token_revoked")
        caller = Caller(key.tenant, key.id, frozenset(key.scopes), key.order_filter)
        if len(self._known) >= MAX_CACHED_KEYS:
            self._known.clear()
        self._known[hashed] = (caller, time.monotonic() + KEY_CACHE_S)
        return caller


class Authentication:
    """Lets a request through only with a good credential; what is open is named, never guessed."""

    def __init__(self, app: ASGIApp, credentials: Authenticator, is_open: Callable[[Scope], bool]) -> None:
        self.app = app
        self._credentials = credentials
        self._is_open = is_open
        self._guesses = Buckets(GUESSES_PER_S, GUESSES_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its `Caller`, or answer 401."""
        if scope["type"] != "http" or self._is_open(scope):
            # Whose an open page is, only the ticket or state in it tells.
            with for_every_tenant():
                await self.app(scope, receive, send)
            return
        try:
            caller = scope["state"]["caller"] = await self._caller(scope)
        except (HttpProblem, ChannelSyncError) as error:
            await answer(scope, error)(scope, receive, send)
            return
        with for_tenant(caller.tenant):
            await self.app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        try:
            credential = _bearer(Headers(scope=scope))
            scope["state"]["find_caller"] = partial(self._credentials.caller, credential)
            return await self._credentials.caller(credential)
        except Unauthorised as refused:
            if refused.reason == "token_unknown":
                self._count_guess(scope)
            raise

    def _count_guess(self, scope: Scope) -> None:
        """Only who sends what nobody ever made is guessing; a token that has expired is no guess."""
        allowance = self._guesses.take(client_of(scope))
        if not allowance.allowed:
            raise too_many(allowance)


def _bearer(headers: Headers) -> str:
    given = headers.getlist("authorization")
    if len(given) != 1 or not given[0].startswith("Bearer "):
        raise Unauthorised("credential_missing")
    if len(given[0]) > MAX_CREDENTIAL:
        raise Unauthorised("token_unknown")
    return given[0].removeprefix("Bearer ")


async def current_caller(request: Request) -> Caller:
    """Who calls, as `Authentication` found out."""
    caller: Caller = request.state.caller
    return caller


async def is_still_good(request: Request) -> bool:
    """Whether the credential of a request that takes long is good to this moment."""
    try:
        await request.state.find_caller()
    except Unauthorised:
        return False
    return True


CurrentCaller = Annotated[Caller, Depends(current_caller)]


async def check_scopes(
    needed: SecurityScopes, caller: CurrentCaller, _: Annotated[object, Security(BEARER)]
) -> None:
    """Let the caller through only with the scope that the operation names."""
    for scope in needed.scopes:
        require_scope(caller, scope)


def require_scope(caller: Caller, scope: str) -> None:
    """Refuse a caller that has not been given the scope."""
    if not caller.may(scope):
        raise HttpProblem(403, "insufficient_scope", f"This needs the scope {scope}.")


def requires(scope: str) -> params.Security:
    """The dependency of an operation that needs `scope`."""
    dependency: params.Security = Security(check_scopes, scopes=[scope])
    return dependency
