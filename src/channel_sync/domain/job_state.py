"""How far a job is that a marketplace does in its own time."""

from enum import StrEnum


class JobState(StrEnum):
    """How far a marketplace's asynchronous job is."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
