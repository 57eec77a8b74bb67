"""Stock calls that have no outcome, and what their listings are looked at for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from channel_sync.domain.listings import ListingStock, Quantities

# Seconds after an outcome got lost at which the shop is looked at: so often that what lands late is soon undone.
_LOOKED_AT_S = (5, 15, *range(30, 601, 30))
LONGEST_DOUBT = timedelta(seconds=_LOOKED_AT_S[-1])


@dataclass(frozen=True, slots=True)
class Doubt:
    """A listing to look at in the shop, for a call without an outcome may yet take effect there.

    `quantity` is what its warehouse, or all that are ours, were told last, `is_newest` whether that is the newest
    level. `seen` is what all its warehouses showed at `seen_at`.
    """

    listing_id: str
    product_id: str
    variation_id: str
    version: int
    quantity: int
    warehouse_id: str
    is_newest: bool
    doubted_at: datetime
    seen: Quantities
    seen_at: datetime | None
    settled_at: datetime | None
    sent_quantities: Quantities | None = None

    @property
    def was_seen_since(self) -> bool:
        """Whether it was seen to be right after all that was done to it."""
        if not self.is_newest or self.seen_at is None or self.seen_at < self.doubted_at:
            return False
        return self.settled_at is None or self.seen_at >= self.settled_at

    def is_there(self, shown: Quantities | None) -> bool:
        """Whether the shop shows what was told last."""
        there = dict(shown or ())
        return shown is not None and all(there.get(place) == units for place, units in self._ours)

    def is_wrong(self, shown: Quantities | None) -> bool:
        """Whether the shop shows something else than the newest level that it was told."""
        return self.is_newest and shown is not None and not self.is_there(shown)

    @property
    def told(self) -> ListingStock:
        """What it was told last, beside what its other warehouses showed."""
        told = ListingStock(self.listing_id, self.variation_id, self.version, self.quantity, self._ours)
        return told.beside(self.seen)

    @property
    def _ours(self) -> Quantities:
        return self.sent_quantities or ((self.warehouse_id, self.quantity),)


def next_look(doubted_at: datetime, now: datetime) -> datetime | None:
    """When to look next at a shop with a call in doubt since `doubted_at`; None once that is long enough."""
    looks = (doubted_at + timedelta(seconds=seconds) for seconds in _LOOKED_AT_S)
    return next((at for at in looks if at > now), None)
