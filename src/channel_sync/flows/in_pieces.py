"""Many things taken a few at a time."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_pieces(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in their order, so many at a time; the last piece may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def in_light_pieces(items: Sequence[T], weights: Sequence[int], size: int, most: int) -> Iterator[Sequence[T]]:
    """The same, the items of a piece together no heavier than `most`, but for one that is by itself."""
    start = weight = 0
    for place, heavy in enumerate(weights):
        if place > start and (place - start == size or weight + heavy > most):
            yield items[start:place]
            start, weight = place, 0
        weight += heavy
    if items:
        yield items[start:]
