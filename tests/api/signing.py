"""An identity provider for tests: its keys, and tokens signed with them."""

import asyncio
import base64
import json
import time
from collections import Counter
from typing import Any

from joserfc import jws
from joserfc.jwk import RSAKey

from channel_sync.domain.errors import ChannelUnavailable

ISSUER = "https://id.example"
AUDIENCE = "channel-sync"


class Published:
    """The issuer's keys; counts how often they are asked for."""

    def __init__(self, *keys: RSAKey) -> None:
        self.published = list(keys)
        self.others: list[Any] = []
        self.asked = Counter[str]()
        self.away = False
        self.answering = asyncio.Event()
        self.answering.set()

    async def keys(self) -> dict[str, Any]:
        self.asked["keys"] += 1
        await self.answering.wait()
        if self.away:
            raise ChannelUnavailable("issuer_unavailable", "The identity provider does not answer.")
        return {"keys": [*self.others, *(key.as_dict(private=False) for key in self.published)]}


def rsa(key_id: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": key_id, "use": "sig"})


KEY, OTHER_KEY = rsa("k1"), rsa("k2")


def token(key: RSAKey = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A good token of the tenant `acme`, but for the claims given; None leaves one out."""
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": int(time.time()) + 300,
        "sub": "user-1",
        "tenant": "acme",
        "scope": "integrations:read stock:read",
    }
    chosen = {name: value for name, value in (good | claims).items() if value is not None}
    return jws.serialize_compact(header or {"alg": "RS256", "kid": key.kid}, json.dumps(chosen), key)


def encoded(part: bytes) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
