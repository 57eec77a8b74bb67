"""One shape for every list: a page is asked for by the key of the last row seen, never by an offset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

Key = tuple[str | int, ...]
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many rows, and the key of the last row seen before."""

    limit: int
    after: Key | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows; `next` is the key of the last one where there are more."""

    items: list[T]
    next: Key | None


def page_of(found: Sequence[T], request: PageRequest, key: Callable[[T], Key]) -> Page[T]:
    """The page in `found`, which was asked for with one row more than the limit."""
    items = list(found[: request.limit])
    more = len(found) > request.limit
    return Page(items, key(items[-1]) if more and items else None)


def as_position(part: str | int) -> int:
    """A number of a key that came back from a caller, within what a column holds."""
    return max(0, min(part, _MOST)) if isinstance(part, int) else 0
