"""What a listing, as the marketplace shows it now, means for the one that is stored."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from channel_sync.domain.listings import ChannelListing, Mapping, PushState
from channel_sync.persistence.drifts import Drift
from channel_sync.persistence.engine.session import Values, columns_of
from channel_sync.persistence.listing_mapping import Newcomer
from channel_sync.persistence.listing_rows import effective_sku, values
from channel_sync.persistence.sql.trade_tables import listings

_COMPARABLE = (PushState.SENT, PushState.CONFIRMED, PushState.DRIFTED)

Known = Row[*tuple[Any, ...]]
_COMPARED = columns_of(listings, ChannelListing)
_MORE = (
    *(
        "id",
        "mapping",
        "mapped_sku",
        "stock_sku",
        "seen_at",
        "call_of",
        "doubted_at",
        "push_state",
        "differs_since",
    ),
    *("wanted_version", "settled_version", "settled_at", "warehouse_id", "sent_quantity", "sent_quantities"),
    "left_quantities",
)
KNOWN = [*_COMPARED, *(listings.c[name] for name in _MORE)]


class ListingChange(Struct, frozen=True, gc=False):
    """A listing as it was seen at a moment, and its stored row of `KNOWN`, if there is one.

    `id` is that row's or a new one.
    """

    id: str
    before: Known | None
    listing: ChannelListing
    seen_at: datetime

    @property
    def sku(self) -> str | None:
        """The SKU whose level feeds it now."""
        by_hand = None if self.before is None else self.before.mapped_sku
        return effective_sku(by_hand, self.listing.sku)

    @property
    def is_news(self) -> bool:
        """Whether the row is another than the one that is stored."""
        if self.before is None or self.before.mapping is Mapping.GONE:
            return True
        compared = (column.name for column in _COMPARED if column.name != "quantities" or self._is_fresher)
        return any(getattr(self.before, name) != getattr(self.listing, name) for name in compared)

    @property
    def _is_fresher(self) -> bool:
        """Whether its units are news, which those of a call under way, or in doubt, are not; as in `UPSERT`."""
        before = self.before
        if before is None or before.seen_at is None:
            return True
        return before.seen_at <= self.seen_at and before.call_of is None and before.doubted_at is None

    @property
    def drift(self) -> Drift | None:
        """Whether it shows what was confirmed, or is left of that, where this has become another answer."""
        before = self.before
        if before is None or before.push_state not in _COMPARABLE or not self._is_fresher:
            return None
        if before.warehouse_id is None or before.settled_version != before.wanted_version:
            return None
        if before.settled_at > self.seen_at:
            return None
        told = before.sent_quantities or ((before.warehouse_id, before.sent_quantity),)
        shown = dict(self.listing.quantities)
        expected = (told,) if before.left_quantities is None else (told, before.left_quantities)
        differs = not any(all(shown.get(place, 0) == units for place, units in one) for one in expected)
        was_seen = before.push_state is not PushState.SENT
        is_news = differs is (before.differs_since is None) or not (differs or was_seen)
        return Drift(self.id, before.settled_version, differs, self.seen_at) if is_news else None

    @property
    def _starts_anew(self) -> bool:
        """Whether it comes to its SKU only now, behind those that it feeds already."""
        before = self.before
        if before is None or before.mapping is Mapping.GONE or before.stock_sku != self.sku:
            return True
        return self.listing.writable and not before.writable

    @property
    def _closes(self) -> bool:
        return self.before is not None and self.before.writable and not self.listing.writable

    @property
    def newcomer(self) -> Newcomer | None:
        """It, if its mapping is open. An ambiguous one may be alone with its SKU by now."""
        before = self.before
        is_ambiguous = before is not None and before.mapping is Mapping.AMBIGUOUS
        if not (is_ambiguous or self._starts_anew or self._closes):
            return None
        by_hand = before is not None and before.mapped_sku is not None
        return Newcomer(self.id, self.sku, is_rival=self.listing.writable and not by_hand)

    @property
    def left_sku(self) -> str | None:
        """The SKU that it is no rival for any more."""
        before = self.before
        if before is None or not before.writable or before.mapped_sku is not None:
            return None
        sku: str | None = before.stock_sku
        return sku if self._closes or sku != self.sku else None

    def row(self, tenant: str, account_id: str) -> Values:
        """Its row for `UPSERT`."""
        mapping = Mapping.UNMAPPED if self.before is None or self._starts_anew else self.before.mapping
        return values((self.id, tenant, account_id), self.listing, self.seen_at, self.sku, mapping)
