"""Listings at the marketplace and what we send them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


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


Quantities = tuple[tuple[str, int], ...]

# A call without an outcome may take effect later. So long it is waited for before the shop's word is taken for the
# last one, and so long after that the shop is looked at all the same.
IN_DOUBT_FOR = timedelta(seconds=60)
_LOOKED_AT_S = (5, 15, *range(30, 601, 30))
LONGEST_DOUBT = timedelta(seconds=_LOOKED_AT_S[-1])


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

    `warehouse_id` was told last. `quantities` were seen at `seen_at`. At `doubted_at` a call's outcome got lost.
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

    @property
    def is_in_doubt(self) -> bool:
        """Whether a call may still take effect that nobody knows the outcome of: the shop was not seen since."""
        if self.doubted_at is None:
            return False
        return self.seen_at is None or self.seen_at < self.doubted_at + IN_DOUBT_FOR


@dataclass(frozen=True, slots=True)
class ListingStock:
    """The units one listing should have; `version` is the level's when it was read.

    `quantities` is what is said of its warehouses, ours first; `others` is what lay in the other ones when they
    were last seen.
    """

    listing_id: str
    variation_id: str
    version: int
    quantity: int
    quantities: Quantities
    others: Quantities = ()

    @property
    def warehouse_id(self) -> str:
        """Our warehouse."""
        return self.quantities[0][0]

    def beside(self, seen: Quantities) -> "ListingStock":
        """The same with the other warehouses as they were seen now."""
        return replace(self, others=tuple(place for place in seen if place[0] != self.warehouse_id))

    @property
    def restating(self) -> "ListingStock":
        """The same, that says of the other warehouses what they have."""
        return replace(self, quantities=(self.quantities[0], *self.others))


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

    `seen` is what the marketplace showed of all its warehouses afterwards, if it showed anything.
    """

    listing_id: str
    version: int
    accepted: bool
    code: str | None = None
    reason: str | None = None
    seen: Quantities | None = None


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


@dataclass(frozen=True, slots=True)
class Doubt:
    """A listing to look at in the shop, for a call without an outcome may yet take effect there.

    `quantity` is what its warehouse was told last, `is_newest` whether that is the newest level. `seen` is what
    all its warehouses showed at `seen_at`.
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

    @property
    def was_seen_since(self) -> bool:
        """Whether it was seen to be right after all that was done to it."""
        if not self.is_newest or self.seen_at is None or self.seen_at < self.doubted_at:
            return False
        return self.settled_at is None or self.seen_at >= self.settled_at

    def is_there(self, shown: Quantities | None) -> bool:
        """Whether the shop shows what was told last."""
        return shown is not None and dict(shown).get(self.warehouse_id) == self.quantity

    def is_wrong(self, shown: Quantities | None) -> bool:
        """Whether the shop shows something else than the newest level that it was told."""
        return self.is_newest and shown is not None and not self.is_there(shown)

    @property
    def told(self) -> ListingStock:
        """What it was told last, beside what its other warehouses showed."""
        ours = ((self.warehouse_id, self.quantity),)
        told = ListingStock(self.listing_id, self.variation_id, self.version, self.quantity, ours)
        return told.beside(self.seen)


def next_look(doubted_at: datetime, now: datetime) -> datetime | None:
    """When to look next at a shop with a call in doubt since `doubted_at`; None once that is long enough."""
    looks = (doubted_at + timedelta(seconds=seconds) for seconds in _LOOKED_AT_S)
    return next((at for at in looks if at > now), None)


_UNKNOWN = (
    "outcome_unknown",
    "The answer to a call got lost, and it may yet take effect; the shop is looked at until the value stays.",
)
_CLOSED = ("listing_closed", "The marketplace takes no stock for this listing.")
_WHY_SKIPPED = {
    Mapping.AMBIGUOUS: ("sku_ambiguous", "Another listing of the shop has the same SKU; map one by hand."),
    Mapping.GONE: ("listing_gone", "The listing is no longer at the marketplace."),
}


def push_state(listing: Listing, version: int) -> PushState:
    """Where `version` of the level is for this listing: the newest fact wins, but doubt is no fact."""
    if listing.mapping is not Mapping.MAPPED or not listing.writable:
        return PushState.SKIPPED
    if listing.settled_version >= version and listing.push_state is not None:
        is_sure = listing.push_state is not PushState.CONFIRMED or not listing.is_in_doubt
        return listing.push_state if is_sure else PushState.SENT
    if listing.sent_version > listing.settled_version:
        return PushState.SENT if listing.sent_version >= version else PushState.SUPERSEDED
    return PushState.PENDING


def why(listing: Listing, state: PushState) -> tuple[str | None, str | None]:
    """The code and the sentence that explain a rejected or skipped value; nothing for one that is on its way."""
    match state:
        case PushState.REJECTED:
            return listing.push_code, listing.push_reason
        case PushState.SKIPPED:
            return _WHY_SKIPPED.get(listing.mapping, _CLOSED)
        case PushState.SENT if listing.is_in_doubt:
            return _UNKNOWN
        case PushState.PENDING | PushState.SENT | PushState.CONFIRMED | PushState.SUPERSEDED:
            return None, None
