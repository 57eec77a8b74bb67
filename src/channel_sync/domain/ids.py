"""Identifiers: a prefix that says what it is, then a sortable random part."""

import re
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from channel_sync.domain.random_bytes import RandomBytes

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_SHAPE = re.compile(f"[a-z]{{3}}_[{_ALPHABET}]{{26}}")
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
# What a random byte becomes: five of its bits as a letter, or as many as the fixed bits of a UUIDv7 leave free.
_LETTERS = "".join(_ALPHABET[byte & 31] for byte in range(256)).encode()
_VERSION_7 = [_ALPHABET[0b01110 | byte & 1] for byte in range(256)]
_VARIANT = [_ALPHABET[(byte & 4) << 2 | 0b01000 | byte & 3] for byte in range(256)]
_NOISE_BYTES = 16
_noise = RandomBytes(_NOISE_BYTES)


def new_id(prefix: str, now: datetime) -> str:
    """A TypeID (prefix, underscore, UUIDv7 in 26 base32 characters) that sorts by time of creation."""
    return _type_id(prefix, _milliseconds(now), _noise.take())


def is_id(text: str) -> bool:
    """Whether this is shaped like an identifier of ours."""
    return _SHAPE.fullmatch(text) is not None


def new_ids(prefix: str, now: datetime, count: int) -> list[str]:
    """The same for many at once."""
    milliseconds = _milliseconds(now)
    return [_type_id(prefix, milliseconds, _noise.take()) for _ in range(count)]


def earliest_id(prefix: str, moment: datetime) -> str:
    """What all ids of this kind that were made at the moment, or later, do not sort before."""
    return f"{prefix}_{_moment(_milliseconds(moment))}"


def derived_id(prefix: str, milliseconds: int, *parts: str) -> str:
    """The same TypeID for the same parts: what happens twice in a crash gets one identifier.

    It sorts by `milliseconds` since 1970.
    """
    return _type_id(prefix, milliseconds, blake2b("\x1f".join(parts).encode(), digest_size=_NOISE_BYTES).digest())


def _type_id(prefix: str, milliseconds: int, noise: bytes) -> str:
    letters = noise.translate(_LETTERS).decode()
    moment = _moment(milliseconds)
    return f"{prefix}_{moment}{_VERSION_7[noise[0]]}{letters[1:3]}{_VARIANT[noise[3]]}{letters[4:]}"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@lru_cache(maxsize=64)
def _moment(milliseconds: int) -> str:
    return "".join([_PAIRS[(milliseconds >> shift) & 1023] for shift in (40, 30, 20, 10, 0)])
