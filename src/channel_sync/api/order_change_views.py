"""What a marketplace was asked to do with an order, as the API shows it."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from channel_sync.api.http.fields import Timestamp, optional_timestamp, timestamp
from channel_sync.domain.codes import ChangeCode
from channel_sync.domain.order_changes import ChangeStage, ChangeState, OrderChange
from channel_sync.domain.order_progress import ChangeKind

_PENDING: dict[ChangeStage, tuple[ChangeCode, str]] = {
    ChangeStage.REQUESTED: ("queued", "It is told to the marketplace next."),
    ChangeStage.SENDING: ("in_flight", "The marketplace has not answered yet."),
    ChangeStage.SETTLING: ("in_flight", "The marketplace has it and is carrying it out."),
    ChangeStage.DOUBTFUL: (
        "outcome_unknown",
        "An answer got lost: the order is looked at before anything is sent again.",
    ),
}


# Code and sentence.
Why = tuple[str | None, str | None]


class ParcelView(TypedDict):
    """One parcel that was told to the marketplace, or a change of its tracking.

    `code` and `reason` say why it is where it is: `queued`, `in_flight` or `outcome_unknown` while it is pending,
    or what keeps its shop from being called, `integration_disabled` and the like;
    the marketplace's own where it refused, `not_carried_out` or `not_confirmed` where it took it and then did not
    show it. `code` is null once it is accepted.
    """

    carrier: str
    tracking_number: str
    origin_country: str
    state: ChangeState
    code: str | None
    reason: str | None
    requested_at: Timestamp
    settled_at: Timestamp | None


class DispatchView(TypedDict):
    """Every parcel in the order in which they were told; `state`, `code` and `reason` are of the last one."""

    state: ChangeState
    code: str | None
    reason: str | None
    parcels: list[ParcelView]


def dispatch_view(changes: Sequence[OrderChange], rests: Why | None = None) -> DispatchView | None:
    """The order's dispatch; null before anybody told of a parcel. `rests` is why its shop is not called."""
    parcels = [_parcel_view(one, rests) for one in changes if one.kind is ChangeKind.DISPATCH]
    if not parcels:
        return None
    last = parcels[-1]
    return {"state": last["state"], "code": last["code"], "reason": last["reason"], "parcels": parcels}


class RefundRequestView(TypedDict):
    """A refund that was asked for, and its `reason`; `code` and `detail` say why it is where it is."""

    reason: str
    state: ChangeState
    code: str | None
    detail: str | None
    requested_at: Timestamp
    settled_at: Timestamp | None


def refund_view(changes: Sequence[OrderChange], rests: Why | None = None) -> RefundRequestView | None:
    """The refund that was asked for last; null where none was."""
    refunds = [one for one in changes if one.kind is ChangeKind.REFUND]
    if not refunds:
        return None
    change = refunds[-1]
    code, detail = _why(change, rests)
    return {
        "reason": change.cause or "",
        "state": change.state,
        "code": code,
        "detail": detail,
        "requested_at": timestamp(change.requested_at),
        "settled_at": optional_timestamp(change.settled_at),
    }


def _parcel_view(change: OrderChange, rests: Why | None) -> ParcelView:
    parcel = change.parcel
    code, reason = _why(change, rests)
    return {
        "carrier": parcel.carrier,
        "tracking_number": parcel.tracking_number,
        "origin_country": parcel.origin_country,
        "state": change.state,
        "code": code,
        "reason": reason,
        "requested_at": timestamp(change.requested_at),
        "settled_at": optional_timestamp(change.settled_at),
    }


def _why(change: OrderChange, rests: Why | None) -> Why:
    if change.stage not in _PENDING:
        return change.code, change.reason
    return _PENDING[change.stage] if rests is None else rests
