"""Bytes that arrive in pieces, cut into JSON values."""

from collections.abc import Iterator

from channel_sync.channels.wish.caps import MOST_REPLY_BYTES
from channel_sync.channels.wish.replies import not_understood


class LineSplitter:
    """Cuts chunks into lines. A file that starts with a bracket is kept whole: it is one JSON array.

    A line longer than any value may be is cut there, for its reader to refuse; those after it are as they were.
    """

    def __init__(self, max_array: int) -> None:
        self._max_array = max_array
        self._kept = bytearray()
        self._is_array: bool | None = None

    def lines(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that are complete with this chunk, which is best a small one."""
        self._kept += chunk
        if self._is_array is None:
            self._look_at_the_start()
        if self._is_array:
            if len(self._kept) > self._max_array:
                raise not_understood("line_too_long", "One value of the file is larger than a whole reply may be.")
            return
        # Only a chunk with a line's end is worth a look: long lines would be searched again and again.
        if b"\n" in chunk:
            *complete, self._kept = self._kept.split(b"\n")
            yield from (bytes(line[: MOST_REPLY_BYTES + 1]) for line in complete if line.strip())
        del self._kept[MOST_REPLY_BYTES + 1 :]

    @property
    def array(self) -> bytes | None:
        """At the end of the file: the array that it is, if it is one."""
        return bytes(self._kept) if self._is_array else None

    def rest(self) -> Iterator[bytes]:
        """At the end of a file of lines: the last one, if nothing ended it."""
        if self._kept.strip():
            yield bytes(self._kept)

    def _look_at_the_start(self) -> None:
        # White space is dropped at once: kept, it would be looked through again with every chunk.
        self._kept = self._kept.lstrip(b" \t\r\n")
        if self._kept:
            self._is_array = self._kept.startswith(b"[")
