"""The wall clock of our own moments, and how moments are told; durations are measured by the monotonic one."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime, timespec: str = "milliseconds") -> str:
    """A moment in UTC as text, to the `timespec` of `datetime.isoformat`."""
    return moment.isoformat(timespec=timespec)[:-6] + "Z"
