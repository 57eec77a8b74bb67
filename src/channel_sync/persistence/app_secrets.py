"""What an application proves itself with, as one text to be sealed: its secret, and what else is wanted."""

import msgspec

from channel_sync.domain.secrets import MoreCredentials, Secret

# No secret begins so; a secret alone is kept as it is.
_SEVERAL = b"\x00"
_decode = msgspec.msgpack.Decoder(tuple[str, dict[str, str]]).decode


def packed(secret: Secret, more: MoreCredentials) -> bytes:
    """The text."""
    if not more:
        return secret.value.encode()
    return _SEVERAL + msgspec.msgpack.encode((secret.value, {name: one.value for name, one in more}))


def unpacked(text: bytes) -> tuple[Secret, MoreCredentials]:
    """The secret, and what else there is."""
    if not text.startswith(_SEVERAL):
        return Secret(text.decode()), ()
    secret, more = _decode(text[len(_SEVERAL) :])
    return Secret(secret), tuple((name, Secret(one)) for name, one in more.items())
