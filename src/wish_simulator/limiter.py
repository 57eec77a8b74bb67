"""Calls per second of one app for one merchant: a bucket that refills steadily."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from wish_simulator.clock import Clock, written
from wish_simulator.switches import ResetFormat, Switches

Key = tuple[str, str]
UNLIMITED = 1_000_000


@dataclass
class _Bucket:
    calls_left: float
    filled_at_ms: int
    closed_until_ms: int = 0


class Limiter:
    def __init__(self, switches: Switches, clock: Clock) -> None:
        self._switches = switches
        self._clock = clock
        self._buckets: dict[Key, _Bucket] = {}

    def take(self, key: Key) -> bool:
        """Whether one more call is allowed now; counts it if so."""
        bucket = self._filled(key)
        if bucket.closed_until_ms > self._clock.now_ms():
            return False
        if self._switches.rate_per_s is None:
            return True
        if bucket.calls_left < 1:
            return False
        bucket.calls_left -= 1
        return True

    def remaining(self, key: Key) -> int:
        bucket = self._filled(key)
        if bucket.closed_until_ms > self._clock.now_ms():
            return 0
        return UNLIMITED if self._switches.rate_per_s is None else int(bucket.calls_left)

    def throttle(self, key: Key, seconds: float) -> None:
        """Refuses every call of this app and merchant for that long."""
        self._filled(key).closed_until_ms = self._clock.now_ms() + int(seconds * 1000)

    def reset_header(self, key: Key) -> str | None:
        """When to come back, in the selected format; None when the header is left out."""
        now_ms = self._clock.now_ms()
        bucket = self._filled(key)
        rate = self._switches.rate_per_s or 1
        refill_ms = now_ms + math.ceil(max(0.0, 1 - bucket.calls_left) / rate * 1000)
        return reset_text(max(refill_ms, bucket.closed_until_ms), now_ms, self._switches.reset_format)

    def _filled(self, key: Key) -> _Bucket:
        now_ms = self._clock.now_ms()
        bucket = self._buckets.setdefault(key, _Bucket(self._switches.burst, now_ms))
        elapsed_s = max(0, now_ms - bucket.filled_at_ms) / 1000
        refilled = bucket.calls_left + elapsed_s * (self._switches.rate_per_s or 0)
        bucket.calls_left = min(self._switches.burst, refilled)
        bucket.filled_at_ms = now_ms
        return bucket


def reset_text(reset_ms: int, now_ms: int, form: ResetFormat) -> str | None:
    match form:
        case "epoch_s":
            return str(math.ceil(reset_ms / 1000))
        case "epoch_ms":
            return str(reset_ms)
        case "iso":
            return written(reset_ms)
        case "http_date":
            moment = datetime.fromtimestamp(math.ceil(reset_ms / 1000), UTC)
            return format_datetime(moment, usegmt=True)
        case "seconds":
            return str(math.ceil((reset_ms - now_ms) / 1000))
        case "garbage":
            return "soon"
        case "absent":
            return None
