"""The identity provider whose tokens are accepted."""

import asyncio
import json
from typing import Any

import httpx

from channel_sync.domain.errors import ChannelUnavailable

_KEYS_WITHIN_S = 5.0
_MOST_KEY_BYTES = 1_000_000


class PublishedKeys:
    """The signing keys that an issuer publishes, found through its discovery document."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._discovery = f"{issuer.rstrip('/')}/.well-known/openid-configuration"

    async def keys(self) -> dict[str, Any]:
        """The key set as it is now; `ChannelUnavailable` when it cannot be read."""
        try:
            # A client of its own is cancelled with the call; a time-out of the client alone would bound each read.
            async with asyncio.timeout(_KEYS_WITHIN_S), httpx.AsyncClient(trust_env=False) as http:
                found = await self._read(http, self._discovery)
                if found["issuer"] != self._issuer:
                    raise ValueError
                return await self._read(http, str(found["jwks_uri"]))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TimeoutError, RecursionError):
            # Neither the cause nor its text: both hold addresses.
            raise ChannelUnavailable("issuer_unavailable", "The issuer's keys cannot be read.") from None

    async def _read(self, http: httpx.AsyncClient, url: str) -> dict[str, Any]:
        async with http.stream("GET", url) as answer:
            answer.raise_for_status()
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > _MOST_KEY_BYTES:
                    raise ValueError
        document = json.loads(body)
        if not isinstance(document, dict):
            raise ValueError
        return document
