"""What marketplaces differ in: how often, how many, how long. Each has values of its own, flows have none."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from re import Pattern

from channel_sync.domain.codes import StatusReason


@dataclass(frozen=True, slots=True)
class PollWaits:
    """Seconds: `first_s` while the job is younger than `first_for_s`, then `later_s` in turn, the last kept."""

    first_s: float
    first_for_s: float
    later_s: tuple[float, ...]
    give_up_s: float

    def next_wait_s(self, started_at: datetime, now: datetime) -> float | None:
        """Seconds to the next look, told by the job's age so that a new process goes on where another stopped."""
        age = (now - started_at).total_seconds()
        if age >= self.give_up_s:
            return None
        if age < self.first_for_s:
            return self.first_s
        looked_at = self.first_for_s
        for wait in self.later_s:
            looked_at += wait
            if age < looked_at:
                return wait
        return self.later_s[-1]


@dataclass(frozen=True, slots=True)
class RenewalRules:
    """When a grant is renewed: so long `before` its token ends, but `not_again_within` of the last time.

    The pause may be 15 minutes at most: what says more was written by a clock that has been set back since.
    """

    before: timedelta
    not_again_within: timedelta

    @property
    def overdue(self) -> timedelta:
        """So shortly before the end most of the time in which it could have been renewed has passed in vain."""
        return self.before / 5


@dataclass(frozen=True, slots=True)
class StockRules:
    """How stock is written; no listing has more than `most_units`.

    Up to `singly` products go with a call each, side by side. More of them are one job, of at most `bulk_products`
    and about `bulk_bytes`, of which a listing takes `bytes_a_listing` and each of its warehouses
    `bytes_a_warehouse`. The job is looked at by `polls`.
    """

    most_units: int
    singly: int
    bulk_products: int
    bulk_bytes: int
    bytes_a_listing: int
    bytes_a_warehouse: int
    polls: PollWaits


@dataclass(frozen=True, slots=True)
class OrderChangeRules:
    """How orders are dispatched and refunded: `at_once` side by side, each looked at by `polls` until it is done.

    `scopes` are what a grant needs for it. A tracking number fits the pattern, which `tracking_numbers` says in
    words.
    """

    scopes: frozenset[str]
    tracking_number: Pattern[str]
    tracking_numbers: str
    at_once: int
    polls: PollWaits


@dataclass(frozen=True, slots=True)
class OrderJobRules:
    """How a long history is downloaded: the first `after_pages` by page, what is left then as files.

    A job for those costs as much as some pages, and how many pages are left nobody knows before. A page has
    `orders_a_page` that the one before it has not. The job is looked at by `polls`.
    """

    after_pages: int
    orders_a_page: int
    polls: PollWaits

    def calls(self, orders: int, looks: int, files: int) -> int:
        """About how many calls a download of so many orders takes, if the job takes these for its own part."""
        pages = max(1, math.ceil((orders - 1) / self.orders_a_page)) + 1
        # The pages before, the job, and a last page for what changed meanwhile.
        return pages if pages <= self.after_pages else self.after_pages + 1 + looks + files + 1


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """How one marketplace wants to be dealt with.

    `requires_state`: it gives the `state` of a consent back, so that an answer without one is not its own. Without
    this a person is asked which shop it is. `disabled_reason` is the contract's word for an account that is closed
    there.
    """

    renewal: RenewalRules
    stock: StockRules
    order_changes: OrderChangeRules
    order_jobs: OrderJobRules
    catalogue_polls: PollWaits
    disabled_reason: StatusReason
    requires_state: bool = True
