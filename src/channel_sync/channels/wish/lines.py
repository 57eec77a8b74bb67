"""Bytes that arrive in pieces, cut into JSON values."""

from collections.abc import Iterator

import msgspec

from channel_sync.channels.wish.replies import not_understood


class LineSplitter:
    """Cuts chunks into lines. A file that starts with a bracket is kept whole and read as one JSON array."""

    def __init__(self, max_kept: int) -> None:
        self._max_kept = max_kept
        self._kept = bytearray()
        self._is_array: bool | None = None

    def lines(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that are complete with this chunk."""
        self._kept += chunk
        if self._is_array is None:
            self._look_at_the_start()
        # Only a chunk with a line's end is worth a look: long lines would be searched again and again.
        if not self._is_array and b"\n" in chunk:
            *complete, self._kept = self._kept.split(b"\n")
            yield from (bytes(line) for line in complete if line.strip())
        if len(self._kept) > self._max_kept:
            raise not_understood("line_too_long", "One value of the file is larger than a whole reply may be.")

    def rest(self) -> Iterator[bytes]:
        """What remains at the end of the file."""
        if self._is_array:
            yield from _elements(bytes(self._kept))
        elif self._kept.strip():
            yield bytes(self._kept)

    def _look_at_the_start(self) -> None:
        start = self._kept.lstrip(b" \t\r\n")
        if start:
            self._is_array, self._kept = start.startswith(b"["), start


def _elements(array: bytes) -> list[bytes]:
    try:
        return [bytes(element) for element in msgspec.json.decode(array, type=list[msgspec.Raw])]
    except (ValueError, RecursionError):
        raise not_understood("not_json", "The file is not JSON.") from None
