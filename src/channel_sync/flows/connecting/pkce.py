"""The random values that tie the steps of a connection together; only their hashes are stored."""

import base64
import hashlib
import secrets
from datetime import timedelta

from channel_sync.domain.secrets import Secret

TICKET_LIFETIME = timedelta(minutes=10)
_BITS = 256


def new_token() -> str:
    """A random text for an address or a cookie."""
    return secrets.token_urlsafe(_BITS // 8)


def new_verifier() -> Secret:
    """A PKCE code verifier (RFC 7636, section 4.1)."""
    return Secret(secrets.token_urlsafe(_BITS // 8))


def challenge_of(verifier: Secret) -> str:
    """The S256 challenge of a code verifier."""
    digest = hashlib.sha256(verifier.value.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_of(token: str) -> str:
    """What is stored of a random text: enough to know it again, not enough to use it."""
    return hashlib.sha256(token.encode()).hexdigest()
