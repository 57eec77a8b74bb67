"""What keeps us from knocking at a Wish that is down."""

from collections.abc import Callable
from time import monotonic

from channel_sync.domain.errors import ChannelUnavailable

# Two calls given up after three tries each; at 30 % random failures that comes once in 1400 calls.
FAILURES_TO_OPEN = 6
PROBE_EVERY_S = 30.0


class Breaker:
    """One environment's state. Open, it lets one call in 30 s through, and the first answer closes it."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._next_probe_at = 0.0

    def check(self) -> None:
        """Raise ChannelUnavailable while Wish is down, unless this call is the probe."""
        now = self._clock()
        if self._failures < FAILURES_TO_OPEN:
            return
        if now < self._next_probe_at:
            wait_s = self._next_probe_at - now
            raise ChannelUnavailable("marketplace_unavailable", "Wish does not answer.", retry_after_s=wait_s)
        self._next_probe_at = now + PROBE_EVERY_S

    def failed(self) -> None:
        """Note a call without an answer, or with a server's error."""
        self._failures += 1
        if self._failures == FAILURES_TO_OPEN:
            self._next_probe_at = self._clock() + PROBE_EVERY_S

    def answered(self) -> None:
        """Note an answer, whatever it said."""
        self._failures = 0
