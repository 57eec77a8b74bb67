"""Values made by the hundred thousand."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def fast_dataclass(shape: type[T]) -> type[T]:
    """A frozen dataclass to the type checker, a plain one at run time.

    Freezing makes an object 2.5 times as dear (0.41 to 1.01 µs for nine members, Python 3.11), and an order is a
    dozen of them. Only for what is made for every order of a download or every row of a list that is asked for all
    the time; all other values are frozen for good.
    """
    return dataclass(slots=True)(shape)
