"""Personal parts of orders made small before they are encrypted, for what is encrypted does not shrink any more.

An order's reply is mostly names of members, so a text that has them all goes before it, as a dictionary of
zstd: 2.8 KB become 0.5. Without it they would be 1.4 KB, and a row of PostgreSQL could no longer hold them beside
the rest but would lay them into a second table. The text is the marketplace's.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from channel_sync.domain.reply_dictionary import ReplyDictionary

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_LEVEL = -1
_MAGIC = b"\x28\xb5\x2f\xfd"


class _Codec(NamedTuple):
    """One dictionary at work."""

    mark: bytes
    dictionary: zstd.ZstdDict | None
    compressor: zstd.ZstdCompressor


class Compression:
    """Makes texts small by the first dictionary of their marketplace, and opens what any dictionary made.

    What comes of a marketplace without one is made small by itself.
    """

    def __init__(self, dictionaries: Mapping[str, Sequence[ReplyDictionary]] | None = None) -> None:
        codecs = {type_: [_codec(one) for one in some] for type_, some in (dictionaries or {}).items()}
        self._makers = {type_: some[0] for type_, some in codecs.items() if some}
        self._plain = _Codec(b"", None, zstd.ZstdCompressor(level=_LEVEL))
        # What has no mark fits all, and so comes last; what was made without a dictionary opens with any.
        known = sorted((one for some in codecs.values() for one in some), key=lambda one: -len(one.mark))
        self._codecs = (*known, self._plain)

    def compress(self, text: bytes | bytearray, channel: str) -> bytes:
        """The text made small: one frame of zstd, behind the mark of its dictionary."""
        mark, _, compressor = self._makers.get(channel, self._plain)
        return mark + compressor.compress(text, zstd.ZstdCompressor.FLUSH_FRAME)

    def expand(self, stored: bytes) -> bytes:
        """The text again. What was stored before there was compression comes back as it is."""
        for mark, dictionary, _ in self._codecs:
            frame = stored[len(mark) :]
            if stored.startswith(mark) and frame.startswith(_MAGIC):
                return zstd.decompress(frame, zstd_dict=dictionary)
        return stored


def _codec(one: ReplyDictionary) -> _Codec:
    dictionary = zstd.ZstdDict(one.content, is_raw=True)
    return _Codec(one.mark, dictionary, zstd.ZstdCompressor(level=_LEVEL, zstd_dict=dictionary))
