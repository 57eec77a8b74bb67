"""What a marketplace's replies look like, so that they can be stored small."""

from dataclasses import dataclass
from hashlib import blake2b

# No text that is packed begins so, and no frame of zstd.
_MARK = b"\xc1"
_MARK_BYTES = 4


@dataclass(frozen=True, slots=True)
class ReplyDictionary:
    """A text that has what most of a marketplace's replies have; what is stored of them refers to it.

    Changed in one byte it is another one, and opens nothing that was stored by this: a better one is put before
    it, but it stays. What was made with it begins with its `mark`, by which it is found again.
    """

    content: bytes
    is_marked: bool = True

    @property
    def mark(self) -> bytes:
        """What tells its frames from those of all others."""
        return _MARK + blake2b(self.content, digest_size=_MARK_BYTES).digest() if self.is_marked else b""
