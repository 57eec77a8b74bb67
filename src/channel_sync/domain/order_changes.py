"""What a marketplace is asked to do with an order, to dispatch or to refund it, and how far that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from channel_sync.domain.channel_rules import PollWaits
from channel_sync.domain.doubts import next_look
from channel_sync.domain.events import EventType
from channel_sync.domain.order_progress import ChangeKind, OrderProgress, Progress
from channel_sync.domain.orders import ChannelOrder, OrderState, Tracking

# Nobody reports so many parcels of one order, or corrects them so often.
MOST_CHANGES = 20
# A call without an outcome is repeated once the order has been seen without its effect so long after it.
SURELY_LOST = timedelta(seconds=60)


class ChangeStage(StrEnum):
    """Where a change is. What is `sending` when its run is dead is `doubtful`: nobody knows whether it landed."""

    REQUESTED = "requested"
    SENDING = "sending"
    DOUBTFUL = "doubtful"
    SETTLING = "settling"
    ACCEPTED = "accepted"
    FAILED = "failed"


class ChangeState(StrEnum):
    """What callers are told of it."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel on its way: the carrier by the marketplace's name, the country by its ISO 3166 code."""

    carrier: str
    tracking_number: str
    origin_country: str

    def is_shown(self, tracking: Tracking) -> bool:
        """Whether this is what the marketplace has; it may have its own way to write a name."""
        theirs = (tracking.carrier, tracking.tracking_number, tracking.origin_country or self.origin_country)
        return _folded(theirs) == _folded((self.carrier, self.tracking_number, self.origin_country))


@dataclass(frozen=True, slots=True)
class OrderChange:
    """One change; of a refund with its `cause`.

    `doubted_at` is when the outcome of a call got lost, `code` and `reason` say why it failed.
    """

    id: str
    account_id: str
    order_id: str
    channel_order_id: str
    kind: ChangeKind
    stage: ChangeStage
    carrier: str | None
    tracking_number: str | None
    origin_country: str | None
    cause: str | None
    requested_at: datetime
    sent_at: datetime | None = None
    doubted_at: datetime | None = None
    settled_at: datetime | None = None
    code: str | None = None
    reason: str | None = None

    @property
    def state(self) -> ChangeState:
        """What callers are told."""
        match self.stage:
            case ChangeStage.ACCEPTED:
                return ChangeState.ACCEPTED
            case ChangeStage.FAILED:
                return ChangeState.FAILED
            case ChangeStage.REQUESTED | ChangeStage.SENDING | ChangeStage.DOUBTFUL | ChangeStage.SETTLING:
                return ChangeState.PENDING

    @property
    def parcel(self) -> Parcel:
        """What is dispatched."""
        return Parcel(self.carrier or "", self.tracking_number or "", self.origin_country or "")


def is_pending(changes: Sequence[OrderChange]) -> bool:
    """Whether one of these is not settled."""
    return any(change.state is ChangeState.PENDING for change in changes)


class Finding(StrEnum):
    """What an order shows of a change."""

    DONE = "done"
    RUNNING = "running"
    REFUSED = "refused"
    NOTHING = "nothing"


def finding_in(change: OrderChange, order: ChannelOrder | None) -> Finding:
    """What the order shows of the change; one that cannot be read shows nothing."""
    if order is None:
        return Finding.NOTHING
    ours = order.progress if order.progress is not None and order.progress.kind is change.kind else None
    if ours is not None and ours.progress is Progress.RUNNING:
        return Finding.RUNNING
    if _is_done(change, order):
        return Finding.DONE
    return Finding.REFUSED if ours == OrderProgress(change.kind, Progress.FAILED) else Finding.NOTHING


def _is_done(change: OrderChange, order: ChannelOrder) -> bool:
    """An order released again keeps the parcels that it had, which count no more."""
    match change.kind:
        case ChangeKind.DISPATCH:
            newest = order.content.tracking[:1]
            return order.state is not OrderState.APPROVED and any(map(change.parcel.is_shown, newest))
        case ChangeKind.REFUND:
            return order.state is OrderState.REFUNDED


@dataclass(frozen=True, slots=True)
class Step:
    """What a change is from now on, and when to go on with it if it is not settled."""

    stage: ChangeStage
    next_at: datetime | None = None
    code: str | None = None
    reason: str | None = None
    doubted_at: datetime | None = None


ACCEPTED = Step(ChangeStage.ACCEPTED)
_REFUSED = Step(
    ChangeStage.FAILED,
    code="not_carried_out",
    reason="The marketplace took the change and then did not carry it out. It gives no reason.",
)
_NEVER_SHOWN = Step(
    ChangeStage.FAILED,
    code="not_confirmed",
    reason="The marketplace took the change, but has not shown it since.",
)


def failed(code: str, reason: str) -> Step:
    """The change refused by the marketplace."""
    return Step(ChangeStage.FAILED, code=code, reason=reason)


def doubtful(now: datetime) -> Step:
    """Nobody knows what the call came to: it is looked for before anything is sent again."""
    return Step(ChangeStage.DOUBTFUL, next_look(now, now), doubted_at=now)


def waiting(at: datetime) -> Step:
    """The change is still to be sent."""
    return Step(ChangeStage.REQUESTED, at)


def next_step(change: OrderChange, found: Finding, polls: PollWaits, now: datetime) -> Step:
    """What becomes of a change that was sent, after what its order shows now."""
    if found is Finding.DONE:
        return ACCEPTED
    if change.doubted_at is not None and found is not Finding.RUNNING:
        return _in_doubt(change.doubted_at, now)
    if found is Finding.REFUSED:
        return _REFUSED
    wait_s = polls.next_wait_s(change.sent_at or now, now)
    if wait_s is None:
        return _NEVER_SHOWN
    next_at = now + timedelta(seconds=wait_s)
    if change.doubted_at is None:
        return Step(ChangeStage.SETTLING, next_at)
    # It may be somebody else's that runs.
    return Step(ChangeStage.DOUBTFUL, next_at, doubted_at=now)


def _in_doubt(doubted_at: datetime, now: datetime) -> Step:
    """Looked for until it is surely lost. That a change before it failed would look like its own failure."""
    look_at = next_look(doubted_at, now)
    if look_at is None or now - doubted_at >= SURELY_LOST:
        return waiting(now)
    return Step(ChangeStage.DOUBTFUL, look_at, doubted_at=doubted_at)


_EVENTS: dict[tuple[ChangeKind, ChangeStage], EventType] = {
    (ChangeKind.DISPATCH, ChangeStage.ACCEPTED): "order.dispatched",
    (ChangeKind.DISPATCH, ChangeStage.FAILED): "order.dispatch_failed",
    (ChangeKind.REFUND, ChangeStage.FAILED): "order.refund_failed",
}


def event_of(kind: ChangeKind, stage: ChangeStage) -> EventType | None:
    """What the end of a change is told by; that an order is refunded the order itself tells."""
    return _EVENTS.get((kind, stage))


def _folded(texts: tuple[str | None, ...]) -> list[str]:
    return [(text or "").strip().casefold() for text in texts]
