"""Token buckets: how much of a budget one caller has left, counted in this process."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MAX_CALLERS = 50_000


@dataclass(slots=True)
class _Level:
    tokens: float
    at: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether one more is allowed, how many are left, and how many seconds until there is one again."""

    allowed: bool
    remaining: int
    wait_s: float


class Buckets:
    """One bucket per caller: `per_s` tokens flow in each second, `burst` is what it holds."""

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_s = per_s
        self.burst = burst
        self._clock = clock
        self._levels: OrderedDict[str, _Level] = OrderedDict()

    def take(self, caller: str) -> Allowance:
        """Take one token of the caller's, if there is one."""
        level = self._level(caller)
        if level.tokens < 1:
            return Allowance(False, 0, (1 - level.tokens) / self.per_s)
        level.tokens -= 1
        return Allowance(True, int(level.tokens), 0 if level.tokens >= 1 else (1 - level.tokens) / self.per_s)

    def _level(self, caller: str) -> _Level:
        now = self._clock()
        level = self._levels.get(caller)
        if level is None:
            level = self._levels[caller] = _Level(self.burst, now)
            if len(self._levels) > MAX_CALLERS:
                # The one that was quiet longest has a full bucket again, or nearly so.
                self._levels.popitem(last=False)
            return level
        level.tokens = min(self.burst, level.tokens + (now - level.at) * self.per_s)
        level.at = now
        self._levels.move_to_end(caller)
        return level
