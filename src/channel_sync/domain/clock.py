"""The wall clock of our own moments; durations are measured by the monotonic one."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)
