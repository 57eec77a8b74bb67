"""Whether somebody else changed the units of a listing at the marketplace, or customers bought them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from channel_sync.domain.ids import earliest_id
from channel_sync.domain.listings import Quantities, units_in
from channel_sync.domain.stock import DriftPolicy

# The whole catalogue is read once a day: what was bought longer before a difference first showed is none of it.
BOUGHT_BEFORE = timedelta(hours=26)
# So often units are put right that somebody else changes again within so long. Then a person has to find out who.
MOST_CORRECTIONS = 3
QUIET_FOR = timedelta(days=7)


class Verdict(StrEnum):
    """Why a listing shows other units than it was told. `open`: an order may be on its way that tells."""

    CHANGED = "changed"
    SOLD = "sold"
    OPEN = "open"


class DriftAction(StrEnum):
    """What is done about a drift. `given_up`: it was corrected before, and somebody else keeps writing."""

    REPORTED = "reported"
    CORRECTED = "corrected"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A listing that shows other units than it was told, which nobody was told of yet.

    `told` was confirmed, by a call that began at `sent_at`. Its warehouses showed `seen` first at `seen_at`, and
    another number than was expected since `differs_since`. Where stored orders explained an earlier difference,
    `left` remained at `left_at`. It was to be corrected `drift_count` times, each less than `QUIET_FOR` after the
    one before, the last time at `drifted_at`.
    """

    told: Quantities
    listing_id: str
    product_id: str
    variation_id: str
    version: int
    sent_at: datetime
    seen: Quantities
    seen_at: datetime
    differs_since: datetime
    left: Quantities | None
    left_at: datetime | None
    drift_count: int = 0
    drifted_at: datetime | None = None

    @property
    def quantity(self) -> int:
        """Units that were told."""
        return sum(units for _, units in self.told)

    @property
    def shown(self) -> Quantities:
        """What the warehouses show that were told."""
        seen = dict(self.seen)
        return tuple((place, seen.get(place, 0)) for place, _ in self.told)

    @property
    def at_channel(self) -> int:
        """Units that those show together."""
        return sum(units for _, units in self.shown)

    @property
    def is_raised(self) -> bool:
        """Whether any warehouse shows more than it was told, which is nobody's purchase."""
        return any(shown > told for (_, shown), (_, told) in zip(self.shown, self.told, strict=True))

    @property
    def missing(self) -> int:
        """Units that are there no more and that no sale of before explains."""
        expected = self.quantity if self.left is None else units_in([place for place, _ in self.told], self.left)
        return expected - self.at_channel

    @property
    def sold_from(self) -> datetime:
        """From when on stored orders count: one may be stored before the answer to the call is."""
        return max(self.left_at or self.sent_at, self.sent_at, self.differs_since - BOUGHT_BEFORE)

    def action(self, policy: DriftPolicy, now: datetime) -> DriftAction:
        """What is done about it, if it is a drift."""
        if policy is not DriftPolicy.CORRECT:
            return DriftAction.REPORTED
        is_quiet = self.drifted_at is None or now - self.drifted_at >= QUIET_FOR
        return DriftAction.CORRECTED if is_quiet or self.drift_count < MOST_CORRECTIONS else DriftAction.GIVEN_UP


@dataclass(frozen=True, slots=True)
class Sales:
    """A shop's orders by variation, units with the order's id.

    All that were stored since `whole_from` are among them. What was bought until `known_until` is stored; None
    where nobody knows. Of one that was held at `unread_at`, the last of those, nobody knows what was bought.
    """

    sold: Mapping[str, Sequence[tuple[str, int]]]
    whole_from: datetime
    known_until: datetime | None
    unread_at: datetime | None = None

    def units(self, variation_id: str, since: datetime) -> int:
        """Units of the variation in orders that were stored since."""
        first = earliest_id("ord", since)
        return sum(units for order_id, units in self.sold.get(variation_id, ()) if order_id >= first)

    def are_all_known(self, suspect: Suspect) -> bool:
        """Whether every order is here that may explain what the listing showed last."""
        if self.known_until is None or self.known_until < max(suspect.seen_at, suspect.differs_since):
            return False
        is_unread = self.unread_at is not None and self.unread_at >= suspect.sold_from
        return self.whole_from <= suspect.sold_from and not is_unread


def verdict(suspect: Suspect, sales: Sales) -> Verdict:
    """Why the listing shows what it shows, as far as is known. A sale is believed sooner than a foreign hand."""
    if suspect.is_raised:
        return Verdict.CHANGED
    if suspect.missing <= sales.units(suspect.variation_id, suspect.sold_from):
        return Verdict.SOLD
    return Verdict.CHANGED if sales.are_all_known(suspect) else Verdict.OPEN
