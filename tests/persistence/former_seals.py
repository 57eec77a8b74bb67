"""Values as they were sealed when they were bound to nothing but their row."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def former_seal(key_id: str, key: bytes, plaintext: bytes, place: str) -> bytes:
    """A sealed value of the former format; `place` is "table:column:row"."""
    nonce = os.urandom(12)
    header = b"\x01" + bytes([len(key_id)]) + key_id.encode()
    return header + nonce + AESGCM(key).encrypt(nonce, plaintext, place.encode())
