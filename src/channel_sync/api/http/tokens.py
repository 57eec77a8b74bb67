"""JWTs of the platform's identity provider as credentials."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError

from channel_sync.api.http.issuer_keys import IssuerKeys, KeySource
from channel_sync.api.http.unauthorised import Reason, Unauthorised
from channel_sync.domain.keys import SCOPES, Caller, is_tenant

# Signatures only: with a shared-secret algorithm anybody could sign with the issuer's public key.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]
_LEEWAY_S = 30
_WRONG: dict[str, Reason] = {
    "iss": "token_invalid_issuer",
    "aud": "token_invalid_audience",
    "nbf": "token_not_yet_valid",
    "iat": "token_not_yet_valid",
}
# Whoever has a token of another place learns that first; that it has expired, too, would not help.
_ORDER = ("iss", "aud", "exp", "nbf", "iat", "sub", "jti")


class _Header(msgspec.Struct):
    kid: str | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """The identity provider that is trusted, the audience its tokens must name, and the claims that count.

    A name of a claim may lead into an object, as `realm.tenant`, and may hold dots of its own, as an address does.
    """

    url: str
    audience: str
    source: KeySource
    tenant_claim: str = "tenant"
    scope_claim: str = "scope"


class Tokens:
    """Checks tokens of one issuer."""

    def __init__(self, issuer: Issuer, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._keys = IssuerKeys(issuer.source, clock)
        self._registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": issuer.url},
            aud={"essential": True, "value": issuer.audience},
            exp={"essential": True},
        )

    async def caller(self, token: str) -> Caller:
        """Who the token speaks for; `Unauthorised` says why it is not good."""
        claims = await self._signed(token)
        try:
            self._registry.validate({name: claims[name] for name in _ORDER if name in claims})
        except ExpiredTokenError:
            raise Unauthorised("token_expired") from None
        except InvalidClaimError as error:
            raise Unauthorised(_WRONG.get(error.claim, "token_missing_claim")) from None
        except MissingClaimError:
            raise Unauthorised("token_missing_claim") from None
        return self._caller_of(claims)

    async def _signed(self, token: str) -> dict[str, Any]:
        """The claims that the issuer signed. Text that is no token is refused like a token of a stranger."""
        try:
            key = await self._keys.find(_key_id(token))
            if key is not None:
                return jwt.decode(token, key, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # Text that is not even shaped like a token fails in the parsers in any of these ways.
            pass
        raise Unauthorised("token_unknown")

    def _caller_of(self, claims: dict[str, Any]) -> Caller:
        tenant = claim(claims, self._issuer.tenant_claim)
        if not is_tenant(tenant):
            raise _unusable(self._issuer.tenant_claim)
        scopes = _scopes(claim(claims, self._issuer.scope_claim))
        if scopes is None:
            raise _unusable(self._issuer.scope_claim)
        # Scopes of other services in the same token mean nothing here.
        return Caller(tenant, _caller_id(tenant, claims.get("sub", "")), scopes & frozenset(SCOPES))


def claim(claims: dict[str, Any], name: str) -> Any:
    """The claim of this name, or the one that it leads to: `a.b` is `b` in `a` where nothing is called `a.b`."""
    if name in claims:
        return claims[name]
    for dot in (place for place, letter in enumerate(name) if letter == "."):
        inner = claims.get(name[:dot])
        if isinstance(inner, dict):
            return claim(inner, name[dot + 1 :])
    return None


def _scopes(given: Any) -> frozenset[str] | None:
    """Scopes as a text, as OAuth has them, or as a list, as many issuers do."""
    if isinstance(given, str):
        return frozenset(given.split())
    if isinstance(given, list) and all(isinstance(scope, str) for scope in given):
        return frozenset(given)
    return None


def _unusable(name: str) -> Unauthorised:
    return Unauthorised("token_missing_claim", f"This token has no usable claim {name}.")


def _caller_id(tenant: str, subject: str) -> str:
    """Tells callers apart. A subject is often a person's address, and this stands in every log line."""
    text = f"{tenant}\x1f{subject}".encode("utf-8", "surrogatepass")
    return "jwt_" + blake2b(text, digest_size=12).hexdigest()


def _key_id(token: str) -> str | None:
    segment = token.split(".")[0].encode("ascii")
    return msgspec.json.decode(base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4)), type=_Header).kid
