"""How often runs start, and when a failed one is tried again."""

import random
from dataclasses import dataclass
from datetime import timedelta

from channel_sync.domain.integrations import Integration
from channel_sync.domain.runs import RunKind
from channel_sync.flows.scheduling.result import RunResult

_LONGEST_RETRY_S = 900.0
_SHORTEST_RETRY_S = 15.0
# After our own store was away: the run is closed once it is back, so there is nothing to wait for.
_STORE_IS_BACK_S = 1.0
_JITTER = 0.05
_CONTRACT_SLOWDOWN = 10
_IDLE_STOCK_S = 60
# Of a run that somebody stopped; any other plans the next one by what is to be done.
_CHANGES_S = 60


@dataclass(frozen=True, slots=True)
class RunPace:
    """Seconds between the runs of one integration, by kind, where it has none of its own."""

    orders_s: float = 60
    stock_s: float = 5
    listings_s: float = 900
    # So that with its jitter and its own time no day is without one.
    reconcile_s: float = 80_000

    def interval_s(self, integration: Integration, kind: RunKind) -> float:
        """Seconds from one run to the next, slower while the marketplace sends what we cannot read."""
        match kind:
            case RunKind.ORDERS:
                slowdown = _CONTRACT_SLOWDOWN if integration.degraded_reason == "contract" else 1
                return (integration.settings.orders.interval_s or self.orders_s) * slowdown
            case RunKind.STOCK:
                return integration.settings.stock.interval_s or self.stock_s
            case RunKind.LISTINGS:
                return self.listings_s
            case RunKind.RECONCILE:
                return self.reconcile_s
            case RunKind.ORDER_CHANGES:
                return _CHANGES_S

    def until_next(self, integration: Integration, kind: RunKind) -> timedelta:
        """Time to the next run, spread by 5 % so that shops connected together drift apart."""
        return _spread(self.interval_s(integration, kind), _JITTER)

    def until_next_look(self, integration: Integration) -> timedelta:
        """Time to the next look at a shop without stock to send; a stock write brings it forward."""
        return _spread(max(self.interval_s(integration, RunKind.STOCK), _IDLE_STOCK_S), _JITTER)

    def until_retry(self, integration: Integration, kind: RunKind, failures: int, result: RunResult) -> timedelta:
        """Time to the next try after `failures` earlier ones: doubling to 15 min, never before asked for."""
        shortest = _STORE_IS_BACK_S if result.by_store else _SHORTEST_RETRY_S
        first = min(self.interval_s(integration, kind), shortest)
        delay = min(_LONGEST_RETRY_S, first * 2 ** min(failures, 10))
        return _spread(max(delay * random.uniform(0.75, 1), result.retry_after_s or 0), _JITTER, earlier=False)


def _spread(seconds: float, share: float, earlier: bool = True) -> timedelta:
    return timedelta(seconds=seconds * random.uniform(1 - share if earlier else 1, 1 + share))
