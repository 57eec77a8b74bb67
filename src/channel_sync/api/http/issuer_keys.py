"""The keys an issuer signs with: read in the background, so that an issuer who hangs delays nobody it need not."""

import asyncio
import time
from collections.abc import Callable
from math import inf
from typing import Any, Protocol

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from channel_sync.domain.errors import ChannelUnavailable

KEYS_LIFETIME_S = 600.0
# Well before that keys are read again while they are in use, so that nobody waits when they are due.
READ_AGAIN_AFTER_S = 300.0
REFETCH_AFTER_S = 60.0
FIRST_KEYS_AGAIN_S = 2.0
# How long keys that nobody has used for long wait to be confirmed.
STALE_PATIENCE_S = 1.0

log = structlog.get_logger("channel_sync.api")


class KeySource(Protocol):
    """Where the issuer publishes its keys."""

    async def keys(self) -> dict[str, Any]:
        """The issuer's JSON Web Key Set, within seconds. Raises `ChannelUnavailable` when it cannot be read."""
        ...


class IssuerKeys:
    """The keys of one issuer. One request at a time asks for them, at most once a minute for an unknown one."""

    def __init__(self, source: KeySource, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._keys: KeySet | None = None
        self._asked_at = -inf
        self._asking: asyncio.Task[None] | None = None
        self._stale = False

    async def find(self, key_id: str | None) -> Key | None:
        """The key of this id, or the only one where none is named; `ChannelUnavailable` if none was ever read.

        A key that is known is given at once. Who names an unknown one waits until the issuer has answered.
        """
        known = self._known(key_id)
        if self._clock() - self._asked_at > self._pause(known is not None or key_id is None):
            self._ask()
        if self._asking is not None and (known is None or self._stale):
            await asyncio.wait({self._asking}, timeout=STALE_PATIENCE_S if known else None)
        if self._keys is None:
            raise _unavailable()
        return self._known(key_id)

    def _known(self, key_id: str | None) -> Key | None:
        keys = [] if self._keys is None else self._keys.keys
        if key_id is None:
            return keys[0] if len(keys) == 1 else None
        return next((key for key in keys if key.kid == key_id), None)

    def _pause(self, is_known: bool) -> float:
        if self._keys is None:
            return FIRST_KEYS_AGAIN_S
        return READ_AGAIN_AFTER_S if is_known else REFETCH_AFTER_S

    def _ask(self) -> None:
        if self._asking is None:
            # After a long silence the keys at hand may have been withdrawn; in use they are read again in time.
            self._stale = self._clock() - self._asked_at > KEYS_LIFETIME_S
            self._asking = asyncio.create_task(self._read())

    async def _read(self) -> None:
        self._asked_at = self._clock()
        try:
            self._keys = _usable(await self._source.keys())
        except ChannelUnavailable as error:
            # The keys at hand are better than none: they fail closed for anything they did not sign.
            log.warning("issuer_keys_not_read", code=error.code)
        finally:
            self._asked_at = self._clock()
            self._asking = None


def _usable(published: dict[str, Any]) -> KeySet:
    """The keys that we can use; one that we cannot stands in nobody's way."""
    listed = published.get("keys")
    keys = [key for one in listed if (key := _imported(one))] if isinstance(listed, list) else []
    if not keys:
        raise _unavailable()
    return KeySet(keys)


def _imported(published: Any) -> Key | None:
    try:
        return JWKRegistry.import_key(published)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _unavailable() -> ChannelUnavailable:
    return ChannelUnavailable("issuer_unavailable", "The issuer's keys cannot be read.", FIRST_KEYS_AGAIN_S)
