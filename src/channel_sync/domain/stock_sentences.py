"""The way of a stock level to a listing, in one sentence."""

from dataclasses import dataclass
from datetime import datetime

from channel_sync.domain.clock import rfc3339
from channel_sync.domain.listings import Listing, PushState
from channel_sync.domain.push_states import Reason
from channel_sync.domain.reservations import SOLD_HERE
from channel_sync.domain.stock import Reckoning


@dataclass(frozen=True, slots=True)
class Shown:
    """Units that a marketplace showed in our warehouse, and when; `now` where it was asked for this."""

    quantity: int
    seen_at: datetime
    now: bool = False


@dataclass(frozen=True, slots=True)
class Journey:
    """What is known of a level on its way to one listing; without `steps` it is sent nothing."""

    steps: Reckoning | None
    listing: Listing
    state: PushState
    reason: Reason
    shown: Shown | None
    channel_name: str


def sentence(journey: Journey) -> str:
    """The arithmetic, what was sent and when, and what the marketplace shows."""
    listing, steps = journey.listing, journey.steps
    if steps is None:
        way = [f"nothing is sent: {journey.reason.words}"]
    elif journey.state in (PushState.PENDING, PushState.SUPERSEDED):
        way = [f"{_arithmetic(steps)} → {steps.quantity} to be sent: {journey.reason.words}"]
        if listing.sent_quantity is not None and listing.sent_at is not None:
            way.append(f"last sent {listing.sent_quantity} at {_moment(listing.sent_at)}")
    else:
        way = [f"{_arithmetic(steps)} → {_sent(journey)}"]
    if journey.shown is not None:
        now = "now " if journey.shown.now else ""
        seen = f"at {journey.channel_name} {now}{journey.shown.quantity}"
        way.append(f"{seen}, seen at {_moment(journey.shown.seen_at)}")
    return ", ".join(part.rstrip(".") for part in way)


def _arithmetic(steps: Reckoning) -> str:
    way = f"available {steps.available}"
    if steps.reserved:
        way += f" \N{MINUS SIGN} reserved {steps.reserved}"
    if steps.buffer:
        way += f" \N{MINUS SIGN} buffer {steps.buffer}"
    if steps.percent != 100:
        way += f" → {steps.percent} %"
    if steps.end_when:
        way += f" → none below {steps.end_when}"
    return way if steps.maximum is None else f"{way} → maximum {steps.maximum}"


def _sent(journey: Journey) -> str:
    listing = journey.listing
    if listing.push_code == SOLD_HERE and listing.settled_at is not None:
        return f"{listing.sent_quantity} since {_moment(listing.settled_at)} ({_stripped(journey.reason.words)})"
    sent = f"sent {listing.sent_quantity}"
    if listing.sent_at is not None:
        sent += f" at {_moment(listing.sent_at)}"
    sent += f", {journey.state}"
    if listing.sent_at is not None and listing.settled_at is not None and journey.state is not PushState.SENT:
        sent += f" {max(0.0, (listing.settled_at - listing.sent_at).total_seconds()):.1f} s later"
    return sent if journey.reason.words is None else f"{sent} ({_stripped(journey.reason.words)})"


def _stripped(words: str | None) -> str:
    return (words or "").rstrip(".")


def _moment(moment: datetime) -> str:
    return rfc3339(moment, "seconds")
