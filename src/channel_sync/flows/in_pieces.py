"""Many things taken a few at a time."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_pieces(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in their order, so many at a time; the last piece may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
