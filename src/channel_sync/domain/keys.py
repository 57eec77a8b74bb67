"""API keys and what they may do."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal, TypeGuard, get_args

from channel_sync.domain.order_filters import OrderFilter
from channel_sync.domain.secrets import Secret

Scope = Literal[
    "integrations:read",
    "integrations:write",
    "credentials:write",
    "credentials:verify",
    "orders:read",
    "orders:write",
    "pii:read",
    "stock:read",
    "stock:write",
    "runs:read",
    "runs:write",
    "events:read",
    "webhooks:write",
    "admin",
]
SCOPES: tuple[str, ...] = get_args(Scope)

_READ_SCOPES = tuple(scope for scope in SCOPES if scope.endswith(":read") and scope != "pii:read")

# Support may ask whether credentials work; it can neither see nor change them.
PRESETS = {"support": (*_READ_SCOPES, "runs:write", "credentials:verify")}

# Whoever may change credentials may ask whether they work.
_IMPLIED = {"credentials:verify": "credentials:write"}


_LONGEST_TENANT = 200


def is_tenant(text: object) -> TypeGuard[str]:
    """Whether a tenant may be called so: 1 to 200 characters that can be seen, not all of them blank."""
    return isinstance(text, str) and 0 < len(text) <= _LONGEST_TENANT and text.isprintable() and not text.isspace()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the tenant and its scopes, from the credential alone. `key_id` also bounds the rate.

    `order_filter` is what it wants to see of orders where it does not say so.
    """

    tenant: str
    key_id: str
    scopes: frozenset[str]
    order_filter: OrderFilter | None = None

    def may(self, scope: str) -> bool:
        """Whether the scope was given, or one that implies it; `admin` implies every scope."""
        return not self.scopes.isdisjoint((scope, _IMPLIED.get(scope, scope), "admin"))


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed: the key itself is shown once, when it is made."""

    id: str
    tenant: str
    name: str
    scopes: tuple[str, ...]
    last4: str
    created_at: datetime
    revoked_at: datetime | None
    order_filter: OrderFilter | None = None


def new_key() -> Secret:
    """A fresh API key: the prefix makes it findable by secret scanners, 256 random bits make it unguessable."""
    return Secret("csk_" + secrets.token_urlsafe(32))


def key_hash(key: str) -> bytes:
    """What is stored of a key. Plain SHA-256 is enough: a key is random, so no list of likely ones exists."""
    return sha256(key.encode()).digest()
