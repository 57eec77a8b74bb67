"""Listings at the marketplace and what we send them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from channel_sync.domain.stock import NamedLevels, UnitRules, free_of


class Mapping(StrEnum):
    """How a listing is tied to a stock level. `ambiguous`: another listing of the shop has its SKU, too.

    The one that was mapped before stays mapped; of several that come at once none is.
    """

    MAPPED = "mapped"
    UNMAPPED = "unmapped"
    AMBIGUOUS = "ambiguous"
    GONE = "gone"


class PushState(StrEnum):
    """Where the newest accepted value of a SKU is on its way to one listing."""

    PENDING = "pending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    DRIFTED = "drifted"


Quantities = tuple[tuple[str, int], ...]

# A call without an outcome may take effect later. So long it is waited for before the shop's word is taken.
IN_DOUBT_FOR = timedelta(seconds=60)


class Omitted(StrEnum):
    """What becomes of the warehouses that a stock write does not name. Marketplaces do not say; it shows."""

    KEPT = "kept"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class ChannelListing:
    """One variation as the marketplace has it; `quantities` is (warehouse id, units) in its own order."""

    product_id: str
    variation_id: str
    sku: str | None
    title: str | None
    image_url: str | None
    writable: bool
    quantities: Quantities


@dataclass(frozen=True, slots=True)
class Listing:
    """A stored listing. Versions are those of its stock level; 0 means never.

    `sent_quantities` were told last, `warehouse_id` the first of them. `quantities` were seen at `seen_at`. At
    `doubted_at` a call's outcome got lost. The whole catalogue was read last at `catalogue_at`. The level of
    `stock_sku` feeds it. It waits since `wanted_at`. Its own `rules` go before those of its SKU; one that is
    `excluded` is told nothing.
    """

    id: str
    integration_id: str
    product_id: str
    variation_id: str
    sku: str | None
    mapped_sku: str | None
    title: str | None
    image_url: str | None
    writable: bool
    mapping: Mapping
    quantities: Quantities
    wanted_version: int
    sent_version: int
    sent_quantity: int | None
    sent_at: datetime | None
    settled_version: int
    push_state: PushState | None
    push_code: str | None
    push_reason: str | None
    settled_at: datetime | None
    warehouse_id: str | None = None
    seen_at: datetime | None = None
    doubted_at: datetime | None = None
    catalogue_at: datetime | None = None
    stock_sku: str | None = None
    wanted_at: datetime | None = None
    sku_rules: UnitRules | None = None
    rules: UnitRules | None = None
    excluded: bool = False
    sent_quantities: Quantities | None = None

    @property
    def is_fed(self) -> bool:
        """Whether it is told its stock."""
        return self.mapping is Mapping.MAPPED and self.writable and not self.excluded

    @property
    def last_seen_at(self) -> datetime | None:
        """When the marketplace last showed what it has: itself, or in a catalogue in which nothing was new."""
        in_catalogue = None if self.mapping is Mapping.GONE else self.catalogue_at
        return max((at for at in (self.seen_at, in_catalogue) if at is not None), default=None)

    @property
    def is_in_doubt(self) -> bool:
        """Whether a call may still take effect that nobody knows the outcome of: the shop was not seen since."""
        if self.doubted_at is None:
            return False
        return self.seen_at is None or self.seen_at < self.doubted_at + IN_DOUBT_FOR

    @property
    def units_seen(self) -> int | None:
        """Units that the marketplace last showed in the warehouses that were told last; None where none was."""
        return None if self.warehouse_id is None else units_in(self.told_places, self.quantities)

    @property
    def told_places(self) -> tuple[str, ...]:
        """The warehouses that were told last."""
        if self.sent_quantities:
            return tuple(place for place, _ in self.sent_quantities)
        return () if self.warehouse_id is None else (self.warehouse_id,)

    @property
    def shows_fewer(self) -> bool:
        """Whether the marketplace showed fewer units after it had confirmed what it was told."""
        if (
            self.units_seen is None
            or self.sent_quantity is None
            or self.seen_at is None
            or self.settled_at is None
        ):
            return False
        return self.seen_at > self.settled_at and self.units_seen < self.sent_quantity


@dataclass(frozen=True, slots=True)
class ListingStock:
    """The units one listing should have; `version` is the level's when it was read.

    `quantities` is what is said of its warehouses, ours first; `others` is what lay in the other ones when they
    were last seen. `wanted_at` is since when the listing waited; it is another once it is to be told anew.
    """

    listing_id: str
    variation_id: str
    version: int
    quantity: int
    quantities: Quantities
    others: Quantities = ()
    wanted_at: datetime | None = None

    @property
    def warehouse_id(self) -> str:
        """Our warehouse, of several the first."""
        return self.quantities[0][0]

    def beside(self, seen: Quantities) -> "ListingStock":
        """The same with the other warehouses as they were seen now."""
        ours = dict(self.quantities)
        return replace(self, others=tuple(place for place in seen if place[0] not in ours))

    @property
    def restating(self) -> "ListingStock":
        """The same, that says of the other warehouses what they have."""
        return replace(self, quantities=(*self.quantities, *self.others))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A listing that lacks its newest level, `available`: what its turn depends on."""

    listing_id: str
    product_id: str
    quantities: Quantities
    available: int
    wanted_at: datetime
    sku_rules: UnitRules | None = None
    rules: UnitRules | None = None
    sent_quantity: int | None = None
    warehouse_id: str | None = None
    settled_at: datetime | None = None
    seen_at: datetime | None = None
    named: NamedLevels = None
    sent_quantities: Quantities | None = None
    reserved: int = 0

    @property
    def free(self) -> tuple[int, NamedLevels]:
        """What may still be sold of the level."""
        return free_of(self.available, self.named, self.reserved)


@dataclass(frozen=True, slots=True)
class StockChange:
    """A listing whose units a push would change: what the marketplace has, as far as is known, and would have."""

    listing_id: str
    sku: str
    before: int
    quantity: int


def units_there(listing: Listing | Waiting, places: Iterable[str]) -> int:
    """Units that the marketplace has in these warehouses, as far as is known: seen, or told since."""
    told, settled_at, seen_at = listing.sent_quantity, listing.settled_at, listing.seen_at
    if told is None or settled_at is None or (seen_at is not None and seen_at >= settled_at):
        return units_in(places, listing.quantities)
    since = listing.sent_quantities or ((listing.warehouse_id or "", told),)
    return units_in(places, (*listing.quantities, *since))


def units_in(places: Iterable[str], quantities: Quantities) -> int:
    """Units in these warehouses together; of two that are said of one the last counts."""
    there = dict(quantities)
    return sum(there.get(place, 0) for place in places)


@dataclass(frozen=True, slots=True)
class ProductStock:
    """The listings of one product that change together."""

    product_id: str
    listings: tuple[ListingStock, ...]

    @property
    def is_shared(self) -> bool:
        """Whether units of it lie in other warehouses, too."""
        return any(listing.others for listing in self.listings)


@dataclass(frozen=True, slots=True)
class StockOutcome:
    """What became of one listing's new stock; `code` and `reason` are the marketplace's where it refused.

    `seen` is what the marketplace showed of all its warehouses afterwards, if it showed anything. What was
    accepted may not be `shown` yet: by a job that does not say, or while the change is reviewed.
    """

    listing_id: str
    version: int
    accepted: bool
    code: str | None = None
    reason: str | None = None
    seen: Quantities | None = None
    shown: bool = True

    @property
    def state(self) -> PushState:
        """Where that leaves the level."""
        if not self.accepted:
            return PushState.REJECTED
        return PushState.CONFIRMED if self.shown else PushState.SENT


def omitted(product: ProductStock, outcomes: Iterable[StockOutcome]) -> Omitted | None:
    """What a write that named only our warehouse did to the other ones; None where they show nothing.

    That all which had units have none now is no sale.
    """
    seen = {outcome.listing_id: dict(outcome.seen) for outcome in outcomes if outcome.seen is not None}
    left = [
        seen[listing.listing_id].get(warehouse_id, 0)
        for listing in product.listings
        if listing.listing_id in seen
        for warehouse_id, units in listing.others
        if units > 0
    ]
    if not left:
        return None
    return Omitted.KEPT if any(left) else Omitted.RESET
