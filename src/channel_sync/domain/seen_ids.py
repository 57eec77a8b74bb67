"""Very many ids, remembered in little memory."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable


class SeenIds:
    """Ids that were seen, eight bytes each: a set of as many texts takes fifteen times that.

    Of one in some hundred billions it is said that it was seen although it was not.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._is_sorted = True

    def __len__(self) -> int:
        return len(self._hashes)

    def add_all(self, ids: Iterable[str]) -> None:
        """Remember these, too."""
        self._hashes.extend(map(hash, ids))
        self._is_sorted = False

    def __contains__(self, id: str) -> bool:
        if not self._is_sorted:
            self._hashes = array("q", sorted(self._hashes))
            self._is_sorted = True
        place = bisect_left(self._hashes, hash(id))
        return place < len(self._hashes) and self._hashes[place] == hash(id)
