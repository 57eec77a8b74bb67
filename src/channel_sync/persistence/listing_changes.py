"""What a listing, as the marketplace shows it now, means for the one that is stored."""

from typing import Any

from sqlalchemy import Row

from channel_sync.domain.hot_values import hot_value
from channel_sync.domain.listings import ChannelListing, Mapping
from channel_sync.persistence.listing_mapping import Newcomer
from channel_sync.persistence.listing_rows import effective_sku, values
from channel_sync.persistence.session import Values, columns_of
from channel_sync.persistence.trade_tables import listings

Known = Row[*tuple[Any, ...]]
COMPARED = columns_of(listings, ChannelListing)
KNOWN = [*COMPARED, listings.c.id, listings.c.mapping, listings.c.mapped_sku, listings.c.stock_sku]


@hot_value
class ListingChange:
    """A listing and its stored row of `KNOWN`, if there is one; `id` is that row's or a new one."""

    id: str
    before: Known | None
    listing: ChannelListing

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
        return any(getattr(self.before, column.name) != getattr(self.listing, column.name) for column in COMPARED)

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
        return values((self.id, tenant, account_id), self.listing, self.sku, mapping)
