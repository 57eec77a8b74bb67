"""Encryption at rest: AES-256-GCM with a key ring, each value bound to where it is kept and to whose it is."""

import base64
import binascii
import itertools
import os
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from channel_sync.domain.errors import ChannelSyncError
from channel_sync.domain.random_bytes import RandomBytes

_FORMAT = b"\x02"
# What was sealed by it is bound to its row alone. It still opens; `encryption rotate` seals it anew.
_FORMER_FORMAT = b"\x01"
_NONCE_BYTES = 12
_nonces = RandomBytes(_NONCE_BYTES)
_KEY_BYTES = 32
# Of 32 random bytes hardly ever fewer than 25 differ; of 32 hexadecimal digits hardly ever fewer than 8.
_FEWEST_BYTES = 8
_MAX_KEY_ID = 64

_pack = msgspec.msgpack.Encoder().encode


class AssociatedData(NamedTuple):
    """Where a value is kept and whose it is; sealed for one place it opens at no other.

    `row` tells the row, by its id or by tenant and id. `bound` is what else of the row the value belongs to, such
    as tenant, account and version: who writes to the database can neither move it nor put an older one back.
    """

    table: str
    column: str
    row: tuple[str, ...]
    bound: tuple[str | int | None, ...] = ()

    def former(self) -> bytes:
        """The same for the cipher of the former format."""
        return f"{self.table}:{self.column}:".encode() + "\x1f".join(self.row).encode()


class Unreadable(ChannelSyncError):
    """A sealed value does not open: wrong key, moved from another place, or changed. Which, is not told."""

    def __init__(self) -> None:
        super().__init__("unreadable", "A stored value cannot be decrypted.")


class WrongKey(ChannelSyncError):
    """The key ring does not fit this database; do not start with it."""

    def __init__(self) -> None:
        super().__init__("wrong_key", "The encryption keys do not fit this database.")


class Cipher:
    """Seals and opens values. The first key of the ring seals, every key opens.

    A sealed value is: format byte, length of the key id, key id, nonce, ciphertext with tag. Its place is the
    additional authenticated data, so that a value copied elsewhere does not open.
    """

    def __init__(self, ring: Mapping[str, bytes]) -> None:
        if not ring:
            raise ValueError("The key ring is empty.")
        self._keys = {key_id.encode(): AESGCM(key) for key_id, key in ring.items()}
        self.first_key_id = next(iter(ring))
        self._first = self._keys[self.first_key_id.encode()]
        self.first_header = _header(self.first_key_id)

    def seal(self, plaintext: bytes, place: AssociatedData) -> bytes:
        """The sealed value; never twice the same."""
        nonce = _nonces.take()
        return self.first_header + nonce + self._first.encrypt(nonce, plaintext, _pack(place))

    def open(self, sealed: bytes, place: AssociatedData) -> bytes:
        """The plaintext, or `Unreadable`."""
        former = sealed[:1] == _FORMER_FORMAT
        start = 2 + sealed[1] if len(sealed) > 2 and (former or sealed[:1] == _FORMAT) else 0
        key = self._keys.get(sealed[2:start])
        nonce = sealed[start : start + _NONCE_BYTES]
        if key is None or len(nonce) < _NONCE_BYTES:
            raise Unreadable
        try:
            return key.decrypt(nonce, sealed[start + _NONCE_BYTES :], place.former() if former else _pack(place))
        except InvalidTag:
            raise Unreadable from None


def _header(key_id: str) -> bytes:
    return _FORMAT + bytes([len(key_id.encode())]) + key_id.encode()


def parse_keys(text: str) -> dict[str, bytes]:
    """The ring in "id:base64 of 32 bytes, …", in its order. `ValueError` names the key, never shows it."""
    ring: dict[str, bytes] = {}
    for position, item in enumerate(text.split(","), start=1):
        key_id, colon, encoded = item.strip().partition(":")
        if not colon or not key_id or len(key_id.encode()) > _MAX_KEY_ID or key_id in ring:
            raise ValueError(f"Encryption key {position} needs an id of its own, a colon and the key.")
        ring[key_id] = _key(position, encoded)
    if _can_be_guessed(next(iter(ring.values()))):
        # Any other may be like this: values that it sealed are yet to be sealed anew.
        raise ValueError(
            "Encryption key 1 is not random; put one of `channel-sync encryption new-key` in front of it."
        )
    return ring


def _key(position: int, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"Encryption key {position} is not base64.") from None
    if len(key) != _KEY_BYTES:
        raise ValueError(f"Encryption key {position} is not {_KEY_BYTES} bytes.")
    return key


def _can_be_guessed(key: bytes) -> bool:
    """Whether a key has few different bytes, repeats a part, or counts up or down: chance makes none of these."""
    steps = {(after - before) % 256 for before, after in itertools.pairwise(key)}
    repeated = key[: _KEY_BYTES // 2] == key[_KEY_BYTES // 2 :]
    return len(set(key)) < _FEWEST_BYTES or repeated or len(steps) == 1


def new_key_text(now: datetime) -> str:
    """A new random key for the ring, named after the day and by chance: "k20261123-5f0a3c:base64"."""
    return f"k{now:%Y%m%d}-{os.urandom(3).hex()}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"
