"""A change of an order that the marketplace carries out, or did last: what it tells with the order."""

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """What is done with an order."""

    DISPATCH = "dispatch"
    REFUND = "refund"


class Progress(StrEnum):
    """How far the marketplace is with it."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """The newest change, and how far it is; the kind is None for one that we never ask for."""

    kind: ChangeKind | None
    progress: Progress


def is_busy(progress: OrderProgress | None) -> bool:
    """Whether the marketplace is at a change of the order."""
    return progress is not None and progress.progress is Progress.RUNNING
