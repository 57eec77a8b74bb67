"""Where a stock level is on its way to a listing, and why, in a code and in words."""

from collections.abc import Collection
from typing import Final, NamedTuple

from channel_sync.domain.codes import StockCode
from channel_sync.domain.incidents import IncidentKind
from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.listings import Listing, Mapping, PushState
from channel_sync.domain.reservations import SOLD_HERE


class Reason(NamedTuple):
    """Why something is as it is. Of what the marketplace refused `code` is the marketplace's own."""

    code: StockCode | str | None
    words: str | None


CHANGED_REPEATEDLY: Final = "changed_repeatedly"
UNDER_REVIEW: Final = "under_review"
_NOTHING_TO_SAY = Reason(None, None)
_WORDS: dict[StockCode, str] = {
    "changed_at_channel": "The marketplace shows other units than it confirmed, and no stored order explains it.",
    "changed_repeatedly": "The marketplace shows other units again, although they were put right three times in a"
    " week: somebody else keeps writing there. They stay until the level changes or somebody sends it again.",
    "in_flight": "The marketplace was told and has not answered yet.",
    "integration_disabled": "The integration is switched off; the level is sent once it is on again.",
    "integration_needs_reauth": "The marketplace accepts our access no more; the level is sent once the seller has"
    " authorised again.",
    "integration_paused": "The marketplace has closed the account; the level is sent once it is open again.",
    "integration_removed": "The integration was removed; nothing is sent for it.",
    "listing_excluded": "The listing is excluded; nothing is sent to it.",
    "listing_closed": "The marketplace takes no stock for this listing.",
    "listing_gone": "The listing is no longer at the marketplace.",
    "listing_unmapped": "The listing has no SKU any more; give it one, or map one by hand.",
    "newer_waiting": "An older level is under way; the newest is sent after it.",
    "no_listing": "No listing has this SKU or is mapped to it; the level waits for one.",
    "not_shown_yet": "The marketplace has taken the level; it is confirmed once the listing shows it.",
    "outcome_unknown": "The answer to a call got lost, and it may yet take effect; the shop is looked at until the"
    " level stays.",
    "queued": "The next run sends it, within seconds.",
    "sku_ambiguous": "Another listing of the shop has the same SKU; map one by hand.",
    "sold_here": "The marketplace took the units off itself when it sold them here.",
    "sold_since": "The marketplace shows fewer units since; they may have been bought.",
    "stock_braked": "A push was to set too many listings to zero at once; the level is sent once somebody releases"
    " the brake.",
    "under_review": "The marketplace reviews the change before it shows.",
    "stock_disabled": "Sending stock is switched off in the integration's settings.",
    "warehouse_missing": "The chosen warehouse is no longer at the marketplace; choose another one.",
}
_SKIPPED: dict[Mapping, StockCode] = {
    Mapping.AMBIGUOUS: "sku_ambiguous",
    Mapping.GONE: "listing_gone",
    Mapping.UNMAPPED: "listing_unmapped",
}
_OUT_OF_SERVICE: dict[Status, StockCode] = {
    Status.DISABLED: "integration_disabled",
    Status.NEEDS_REAUTH: "integration_needs_reauth",
    Status.PAUSED: "integration_paused",
    Status.REMOVED: "integration_removed",
}


def push_state(listing: Listing, version: int) -> PushState:
    """Where `version` of the level is for this listing: the newest fact wins, but doubt is no fact."""
    if not listing.is_fed:
        return PushState.SKIPPED
    if listing.settled_version >= version and listing.push_state is not None:
        is_sure = listing.push_state is not PushState.CONFIRMED or not listing.is_in_doubt
        return listing.push_state if is_sure else PushState.SENT
    if listing.sent_version > listing.settled_version:
        return PushState.SENT if listing.sent_version >= version else PushState.SUPERSEDED
    return PushState.PENDING


def hindrance(integration: Integration | None, incidents: Collection[IncidentKind]) -> StockCode | None:
    """What keeps an integration's stock from being sent, if anything does."""
    if integration is None:
        return "integration_removed"
    if integration.status in _OUT_OF_SERVICE:
        return _OUT_OF_SERVICE[integration.status]
    if not integration.settings.stock.enabled:
        return "stock_disabled"
    if IncidentKind.STOCK_BRAKED in incidents:
        return "stock_braked"
    return "warehouse_missing" if IncidentKind.WAREHOUSE_MISSING in incidents else None


def why(listing: Listing, state: PushState, hindered_by: StockCode | None = None) -> Reason:
    """Why the newest level is where it is; nothing where it is confirmed and there is no more to say."""
    match state:
        case PushState.REJECTED:
            return Reason(listing.push_code, listing.push_reason)
        case PushState.SKIPPED:
            return reason("listing_excluded" if listing.excluded else why_skipped(listing.mapping))
        case PushState.PENDING:
            return reason(hindered_by or "queued")
        case PushState.SENT:
            return _of_sent(listing)
        case PushState.SUPERSEDED:
            return reason("newer_waiting")
        case PushState.DRIFTED:
            return reason(CHANGED_REPEATEDLY if listing.push_code == CHANGED_REPEATEDLY else "changed_at_channel")
        case PushState.CONFIRMED:
            return _of_confirmed(listing)


def why_skipped(mapping: Mapping) -> StockCode:
    """Why a listing gets no stock; one that is mapped is closed."""
    return _SKIPPED.get(mapping, "listing_closed")


def reason(code: StockCode) -> Reason:
    """One of our own reasons."""
    return Reason(code, _WORDS[code])


def _of_sent(listing: Listing) -> Reason:
    if listing.is_in_doubt:
        return reason("outcome_unknown")
    if listing.push_state is not PushState.SENT or listing.sent_version > listing.settled_version:
        return reason("in_flight")
    return reason(UNDER_REVIEW if listing.push_code == UNDER_REVIEW else "not_shown_yet")


def _of_confirmed(listing: Listing) -> Reason:
    if listing.push_code == SOLD_HERE:
        return reason(SOLD_HERE)
    if listing.push_code is not None:
        return Reason(listing.push_code, listing.push_reason)
    return reason("sold_since") if listing.shows_fewer else _NOTHING_TO_SAY
