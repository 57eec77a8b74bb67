"""Idempotency-Key: the same call with the same key has one effect and one answer for 24 hours.

The key is claimed after the scopes were checked and before the body is validated, so a kept answer is never given
to a caller who may not make the call. Errors are kept too, except those that say "try again" (429 and 5xx).
Answers may hold a ticket or an API key: the repository seals them at rest.
"""

from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from channel_sync.api.http.access import CurrentCaller
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import VISIBLE
from channel_sync.api.http.problems import answer
from channel_sync.api.http.services import CurrentServices, Services
from channel_sync.domain.clock import utcnow

_KEPT_HEADERS = ("content-type", "location", "etag")

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        pattern=VISIBLE,
        description="Any text of your own. The same key and body give the same answer for 24 h.",
    ),
]


class _Replayed(Exception):
    """The call was made before; its answer is here."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def claim_key(
    request: Request, caller: CurrentCaller, services: CurrentServices, key: KeyHeader = None
) -> None:
    """Claim the key for this call, or end the call with the answer it had before."""
    if key is None:
        return
    fingerprint = await _fingerprint(request)
    async with services.database.begin() as work:
        replay = await work.idempotency.begin(caller.tenant, key, fingerprint, utcnow())
    if replay is not None:
        headers = {**replay.headers, "Idempotency-Replayed": "true"}
        raise _Replayed(Response(replay.body, replay.status, headers))
    request.state.claimed_key = (caller.tenant, key)


IDEMPOTENT = Depends(claim_key)


class IdempotentRoute(StrictRoute):
    """A route whose answer is kept under the key that `claim_key` claimed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The strict handler, with its answer kept."""
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            try:
                response = await handle(request)
            except _Replayed as replayed:
                return replayed.response
            except Exception as error:
                await _keep(request, answer(request.scope, error))
                raise
            await _keep(request, response)
            return response

        return handle_once


async def _fingerprint(request: Request) -> str:
    digest = sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return digest.hexdigest()


async def _keep(request: Request, response: Response) -> None:
    claimed: tuple[str, str] | None = getattr(request.state, "claimed_key", None)
    if claimed is None:
        return
    services: Services = request.app.state.services
    async with services.database.begin() as work:
        if response.status_code == 429 or response.status_code >= 500:
            await work.idempotency.abandon(*claimed)
            return
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        await work.idempotency.complete(*claimed, response.status_code, headers, bytes(response.body))
