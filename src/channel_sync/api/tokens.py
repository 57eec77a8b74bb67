"""JWTs of the platform's identity provider as credentials."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol, cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.keys import SCOPES, Caller

# Signatures only: with a shared-secret algorithm anybody could sign with the issuer's public key.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]
KEYS_LIFETIME_S = 600.0
REFETCH_AFTER_S = 60.0
FIRST_KEYS_AGAIN_S = 2.0
_LEEWAY_S = 30
_MAX_TENANT = 200


class KeySource(Protocol):
    """Where the issuer publishes its keys."""

    async def keys(self) -> dict[str, Any]:
        """The issuer's JSON Web Key Set. Raises `ChannelUnavailable` when it cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Issuer:
    """The identity provider that is trusted, and the audience its tokens must name."""

    url: str
    audience: str
    source: KeySource


class Tokens:
    """Checks tokens of one issuer; keeps its keys, and asks at most once a minute for an unknown one."""

    def __init__(self, issuer: Issuer, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = issuer.source
        self._clock = clock
        self._keys: KeySet | None = None
        self._asked_at = -inf
        self._asking = asyncio.Lock()
        self._claims = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": issuer.url},
            aud={"essential": True, "value": issuer.audience},
            exp={"essential": True},
        )

    async def caller(self, token: str) -> Caller | None:
        """Who the token speaks for, or None if it is not good."""
        try:
            key_id = _key_id(token)
            keys = await self._keys_for(key_id)
            parsed = jwt.decode(token, keys.get_by_kid(key_id), algorithms=ALGORITHMS)
            self._claims.validate(parsed.claims)
            return _caller_of(parsed.claims)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            # Text that is not even shaped like a token fails in the parser in any of these ways.
            return None

    async def _keys_for(self, key_id: str | None) -> KeySet:
        async with self._asking:
            if self._keys is None or self._outdated(self._keys, key_id):
                self._keys = await self._ask()
            return self._keys

    def _outdated(self, keys: KeySet, key_id: str | None) -> bool:
        age = self._clock() - self._asked_at
        known = key_id is None or any(key.kid == key_id for key in keys)
        return age > (KEYS_LIFETIME_S if known else REFETCH_AFTER_S)

    async def _ask(self) -> KeySet:
        if self._keys is None and self._clock() - self._asked_at < FIRST_KEYS_AGAIN_S:
            # Whoever queued up behind a failed request does not wait for one of their own.
            raise ChannelUnavailable("issuer_unavailable", "The issuer's keys cannot be read.", FIRST_KEYS_AGAIN_S)
        self._asked_at = self._clock()
        try:
            published = await self._source.keys()
        except ChannelUnavailable:
            self._asked_at = self._clock()
            if self._keys is None:
                raise
            # The keys at hand are better than none: they fail closed for anything they did not sign.
            return self._keys
        # The published document is untrusted JSON; importing it is what checks its shape.
        return KeySet.import_key_set(cast("KeySetSerialization", published))


def _key_id(token: str) -> str | None:
    segment = token.split(".")[0].encode("ascii")
    header = json.loads(base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4)))
    key_id = header.get("kid")
    return key_id if isinstance(key_id, str) else None


def _caller_of(claims: dict[str, Any]) -> Caller | None:
    tenant, scope, subject = claims.get("tenant"), claims.get("scope"), claims.get("sub", "")
    if not isinstance(tenant, str) or not isinstance(scope, str):
        return None
    if not 0 < len(tenant) <= _MAX_TENANT or not tenant.isprintable():
        return None
    # Scopes of other services in the same token mean nothing here.
    return Caller(tenant, f"jwt:{tenant}:{subject}"[:300], frozenset(scope.split()) & frozenset(SCOPES))
