"""Clocks and budgets for tests of the limiter."""

import asyncio
from dataclasses import dataclass, field

from channel_sync.domain.budgets import CallAllowance, CallLease
from channel_sync.domain.calls import CallContext


class Clock:
    """Stands still until somebody sets it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class SkippingWire(CallContext):
    """A context whose waits take no time but by the clock, where they last `least_s` at least."""

    clock: Clock = field(default_factory=Clock)
    least_s: float = 0.0

    async def sleep(self, seconds: float) -> None:
        self.clock.now += max(seconds, self.least_s)


class Purse:
    """A shared budget with a fixed number of calls in it; what is not there comes after a while."""

    def __init__(self, calls: int = 0, again_s: float = 0.01) -> None:
        self.calls = calls
        self.again_s = again_s
        self.asked: list[tuple[str, int, CallAllowance]] = []
        self.paused: list[object] = []
        self.pause_s = 0.0
        self.error: Exception | None = None

    async def lease(self, integration_id: str, wanted: int, allowance: CallAllowance) -> CallLease:
        self.asked.append((integration_id, wanted, allowance))
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        given = 0 if self.pause_s else min(wanted, self.calls)
        self.calls -= given
        return CallLease(given, self.again_s, self.pause_s)

    async def pause(self, integration_id: str, seconds: float, allowance: CallAllowance) -> None:
        self.paused.append((integration_id, seconds))


def no_jitter(seconds: float) -> float:
    return seconds
