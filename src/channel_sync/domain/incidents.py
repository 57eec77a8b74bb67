"""Incidents: what is not in order with an integration although it goes on working."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from channel_sync.domain.brakes import STOCK_BRAKED


class IncidentKind(StrEnum):
    """What is not in order. One of a kind is open per integration at a time."""

    ORDERS_DATED_AHEAD = "orders_dated_ahead"
    ORDERS_MISSED = "orders_missed"
    ORDERS_UNSORTED = "orders_unsorted"
    WAREHOUSE_MISSING = "warehouse_missing"
    LISTINGS_SKIPPED = "listings_skipped"
    STOCK_BRAKED = STOCK_BRAKED
    STOCK_CONTESTED = "stock_contested"


MESSAGES = {
    IncidentKind.ORDERS_DATED_AHEAD: "Orders are dated in the future: by the marketplace, or because our clock is "
    "behind. They are stored, and the download goes on from those that are not.",
    IncidentKind.ORDERS_MISSED: "The last reconciliation found orders that the download had passed. They are "
    "stored; the run says how many there were.",
    IncidentKind.ORDERS_UNSORTED: "The marketplace does not sort its list of orders as it is asked to. What it "
    "shows is stored, and each download begins where the last sorted one ended.",
    IncidentKind.WAREHOUSE_MISSING: "The chosen warehouse is no longer at the marketplace. No stock is sent "
    "until another one is chosen.",
    IncidentKind.STOCK_BRAKED: "A push was to set more of the shop's listings to zero than is allowed at once. No "
    "stock is sent until somebody releases the brake.",
    IncidentKind.STOCK_CONTESTED: "Somebody else keeps changing the stock of listings at the marketplace: it was "
    "put right three times within a week and is left as it is now. Events and listings say which.",
    IncidentKind.LISTINGS_SKIPPED: "Listings that were sent their stock before are passed over now; the "
    "listings say why.",
}


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident of an integration; it is open until it has `closed_at`."""

    id: str
    tenant: str
    integration_id: str
    kind: IncidentKind
    opened_at: datetime
    closed_at: datetime | None = None

    @property
    def message(self) -> str:
        """What it means, for a person."""
        return MESSAGES[self.kind]
