"""Identifiers: a prefix that says what it is, then a sortable random part."""

import os
from datetime import datetime
from hashlib import blake2b
from typing import NewType

IntegrationId = NewType("IntegrationId", str)
AccountId = NewType("AccountId", str)
RunId = NewType("RunId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_SHIFTS = range(120, -1, -10)
_VERSION_7 = (0x7 << 76) | (0b10 << 62)
_RANDOM_BITS = (0x0FFF << 64) | ((1 << 62) - 1)


def new_id(prefix: str, now: datetime) -> str:
    """A TypeID (prefix, underscore, UUIDv7 in 26 base32 characters) that sorts by time of creation."""
    return _type_id(prefix, now, int.from_bytes(os.urandom(10), "big"))


def derived_id(prefix: str, at: datetime, *parts: str) -> str:
    """The same TypeID for the same parts: what happens twice in a crash gets one identifier."""
    digest = blake2b("\x1f".join(parts).encode(), digest_size=10).digest()
    return _type_id(prefix, at, int.from_bytes(digest, "big"))


def _type_id(prefix: str, at: datetime, noise: int) -> str:
    number = (int(at.timestamp() * 1000) << 80) | _VERSION_7 | (noise & _RANDOM_BITS)
    return f"{prefix}_" + "".join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])
