"""The identity provider whose tokens are accepted."""

import asyncio
import json
from collections.abc import Callable
from time import monotonic
from typing import Any

import httpx

from channel_sync.api.http.tokens import Issuer
from channel_sync.channels.http.exchange import answering, asking, chunks
from channel_sync.channels.http.transport import open_transport
from channel_sync.domain.errors import ChannelError, ChannelUnavailable
from channel_sync.domain.plain_http import can_be_overheard
from channel_sync.setting_values import Switch
from channel_sync.settings import Settings

_KEYS_WITHIN_S = 5.0
_MOST_KEY_BYTES = 1_000_000


def issuer_of(settings: Settings) -> Issuer | None:
    """The identity provider that the settings name, if they name one."""
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    return Issuer(
        settings.oidc_issuer,
        settings.oidc_audience,
        PublishedKeys(settings.oidc_issuer, lambda: open_transport(1), settings.insecure_http is Switch.ON),
        settings.oidc_tenant_claim,
        settings.oidc_scope_claim,
    )


class PublishedKeys:
    """The signing keys that an issuer publishes, found through its discovery document.

    `transport` gives one for one look at them. Only where it is permitted do they come by plain http from
    beyond this machine: whoever changed them on the way would be every tenant.
    """

    def __init__(
        self, issuer: str, transport: Callable[[], httpx.AsyncBaseTransport], plain_http: bool = False
    ) -> None:
        self._issuer = issuer
        self._plain_http = plain_http
        self._transport = transport
        self._discovery = f"{issuer.rstrip('/')}/.well-known/openid-configuration"

    async def keys(self) -> dict[str, Any]:
        """The key set as it is now; `ChannelUnavailable` when it cannot be read."""
        try:
            # One of its own is cancelled with the call; the request's time-outs alone would bound each read.
            async with asyncio.timeout(_KEYS_WITHIN_S), self._transport() as transport:
                found = await self._read(transport, self._discovery)
                if found["issuer"] != self._issuer:
                    raise ValueError
                return await self._read(transport, str(found["jwks_uri"]))
        except (ChannelError, httpx.InvalidURL, ValueError, KeyError, TimeoutError, RecursionError):
            # Neither the cause nor its text: both hold addresses.
            raise ChannelUnavailable("issuer_unavailable", "The issuer's keys cannot be read.") from None

    async def _read(self, transport: httpx.AsyncBaseTransport, url: str) -> dict[str, Any]:
        if can_be_overheard(url) and not self._plain_http:
            raise ValueError
        deadline = monotonic() + _KEYS_WITHIN_S
        async with answering(transport, asking("GET", url)) as answer:
            if not answer.is_success:
                raise ValueError
            body = b"".join([chunk async for chunk in chunks(answer, deadline, _MOST_KEY_BYTES)])
        document = json.loads(body)
        if not isinstance(document, dict):
            raise ValueError
        return document
