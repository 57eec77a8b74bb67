"""The marketplace's time: milliseconds since 1970, real time plus an offset tests may move."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

TimeSuffix = Literal["Z", "+00:00"]


class Clock:
    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.offset_ms


def written(ms: int, suffix: TimeSuffix = "Z") -> str:
    """`YYYY-MM-DDTHH:mm:ss.sss` and the suffix, as the published document prints times."""
    return f"{_second(ms // 1000)}.{ms % 1000:03d}{suffix}"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def parsed(text: str) -> int:
    """Milliseconds, cut not rounded. ValueError without a time of day or without an offset."""
    moment = datetime.fromisoformat(text)
    if "T" not in text or moment.tzinfo is None:
        raise ValueError("a time needs a date, a time of day and Z or an offset")
    whole_seconds = int(moment.replace(microsecond=0).timestamp())
    return whole_seconds * 1000 + moment.microsecond // 1000
