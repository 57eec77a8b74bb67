"""What keeps us from knocking at a marketplace that is down, for one shop or for all."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from channel_sync.domain.errors import CircuitOpen

# Two calls given up after three tries each; at 30 % random failures that comes once in 1400 calls.
FAILURES_TO_OPEN = 6
# What one shop is answered, or two, says nothing about the others.
SHOPS_TO_OPEN_FOR_ALL = 3
TRIAL_EVERY_S = 30.0
# Shops whose failures are remembered, the newest of more: what a process keeps for them stays below 3 MB.
MOST_SHOPS = 10_000


@dataclass(slots=True)
class _Circuit:
    """Failures without an answer between them. Open, one call in 30 s is made, and the first answer closes it."""

    failures: int = 0
    next_trial_at: float | None = None

    def wait_s(self, now: float) -> float:
        """How long until a call is welcome."""
        return 0.0 if self.next_trial_at is None else max(0.0, self.next_trial_at - now)

    def tried(self, now: float) -> None:
        """Note that a call is made: while it is open, that is the trial."""
        if self.next_trial_at is not None:
            self.next_trial_at = now + TRIAL_EVERY_S

    def failed(self, now: float, may_open: bool) -> None:
        """Note a call without an answer."""
        self.failures += 1
        if self.next_trial_at is None and may_open and self.failures >= FAILURES_TO_OPEN:
            self.next_trial_at = now + TRIAL_EVERY_S


class Breaker:
    """One environment's state: a circuit for each shop, and one for all of them."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._shops: OrderedDict[str, _Circuit] = OrderedDict()
        self._all = _Circuit()
        self._failing: set[str] = set()

    def check(self, integration_id: str, by_person: bool = False) -> None:
        """Raise CircuitOpen while the marketplace is down, unless this call is the trial; a person's always is."""
        now, shop = self._clock(), self._shops.get(integration_id)
        shops_wait_s = 0.0 if shop is None else shop.wait_s(now)
        wait_s = max(shops_wait_s, self._all.wait_s(now))
        if wait_s > 0 and not by_person:
            whose = "this shop's last calls" if wait_s == shops_wait_s else "the last calls of several shops"
            raise CircuitOpen(
                f"There was no answer to {whose}. The next one is made in {wait_s:.0f} s, a person's own at once.",
                retry_after_s=wait_s,
            )
        for circuit in (self._all,) if shop is None else (self._all, shop):
            circuit.tried(now)

    def failed(self, integration_id: str) -> None:
        """Note a call without an answer, or with a server's error."""
        now = self._clock()
        self._remembered(integration_id).failed(now, may_open=True)
        if len(self._failing) < SHOPS_TO_OPEN_FOR_ALL:
            self._failing.add(integration_id)
        self._all.failed(now, may_open=len(self._failing) == SHOPS_TO_OPEN_FOR_ALL)

    def answered(self, integration_id: str | None = None) -> None:
        """Note an answer, whatever it said, to a shop's call or to one that was no shop's."""
        if integration_id is not None:
            self._shops.pop(integration_id, None)
        self._all = _Circuit()
        self._failing.clear()

    def _remembered(self, integration_id: str) -> _Circuit:
        shop = self._shops.setdefault(integration_id, _Circuit())
        self._shops.move_to_end(integration_id)
        if len(self._shops) > MOST_SHOPS:
            self._shops.popitem(last=False)
        return shop
