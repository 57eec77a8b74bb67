"""Where an order is, or why it is not here: what we know and what the marketplace says, put together."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from channel_sync.domain.clock import rfc3339
from channel_sync.domain.held_orders import HeldOrder
from channel_sync.domain.orders import OrderState


class Verdict(StrEnum):
    """What became of an order."""

    STORED = "stored"
    ERASED = "erased"
    HELD = "held"
    NOT_FETCHED = "not_fetched"
    MISSED = "missed"
    BEFORE_ORDERS_FROM = "before_orders_from"
    NOT_AT_CHANNEL = "not_at_channel"
    UNKNOWN = "unknown"


class Finding(StrEnum):
    """What a piece of evidence is about."""

    STORED = "stored"
    NOT_STORED = "not_stored"
    ACKNOWLEDGED = "acknowledged"
    ERASED = "erased"
    HELD = "held"
    ORDERS_FROM = "orders_from"
    LOOKED_UP_TO = "looked_up_to"
    NEXT_LOOK = "next_look"
    NO_LOOK = "no_look"
    AT_CHANNEL = "at_channel"
    UNREADABLE_AT_CHANNEL = "unreadable_at_channel"
    NOT_AT_CHANNEL = "not_at_channel"
    CHANNEL_NOT_ASKED = "channel_not_asked"


class Remedy(StrEnum):
    """What brings the order."""

    WAIT = "wait"
    BACKFILL = "backfill"
    REPLAY = "replay"
    MEND_INTEGRATION = "mend_integration"
    ASK_AGAIN = "ask_again"
    CHECK_ID = "check_id"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that is known, since or for when, and the id of what it is about."""

    finding: Finding
    text: str
    at: datetime | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class OrderTrace:
    """What is stored of an order.

    The receipt is the newest there is, of whichever version: the id of the key it came with, and its name.
    """

    id: str
    version: int
    state: OrderState
    channel_updated_at: datetime
    stored_at: datetime
    erased: bool
    erased_at: datetime | None
    acknowledged_at: datetime | None = None
    acknowledged_version: int | None = None
    acknowledged_by: str | None = None
    acknowledged_name: str | None = None


@dataclass(frozen=True, slots=True)
class OurFacts:
    """What we know: the order if it is here, and where we look for orders.

    `looks_from` is where the next look begins, by the marketplace's time. Without `next_look` there is none, and
    `no_look` says why.
    """

    orders_from: datetime
    looks_from: datetime
    looked_up_to: datetime | None
    next_look: datetime | None
    no_look: str | None
    order: OrderTrace | None
    held: HeldOrder | None


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What the marketplace says. It `has` the order or not; None where it could not be asked, because of `reason`.

    With `has` the `reason` is why the order cannot be read.
    """

    has: bool | None
    updated_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence, what it rests on, and what to do. `backfill_from` goes with that remedy."""

    verdict: Verdict
    sentence: str
    evidence: tuple[Evidence, ...]
    remedy: Remedy | None = None
    advice: str | None = None
    backfill_from: datetime | None = None


def explanation(channel: str, ours: OurFacts, theirs: ChannelFacts) -> Explanation:
    """What became of the order; `channel` is the marketplace's name."""
    evidence = (*_of_ours(ours), *_of_looks(ours), _of_theirs(channel, theirs))
    if ours.held is not None:
        return _held(ours.held, evidence)
    if ours.order is not None:
        return _stored(channel, ours, ours.order, theirs, evidence)
    match theirs.has:
        case None:
            sentence = f"We have no such order, and {channel} could not be asked: {theirs.reason}."
            return Explanation(Verdict.UNKNOWN, sentence, evidence, Remedy.ASK_AGAIN, "Ask again later.")
        case False:
            advice = "Check the id, and whether the order belongs to another shop."
            sentence = f"{channel} has no such order in this shop, and neither have we."
            return Explanation(Verdict.NOT_AT_CHANNEL, sentence, evidence, Remedy.CHECK_ID, advice)
        case True:
            return _absent(channel, ours, theirs, evidence)


def _held(held: HeldOrder, evidence: tuple[Evidence, ...]) -> Explanation:
    sentence = f"Held as {held.id} since {rfc3339(held.held_at)} because it cannot be used: {_cause(held)}."
    advice = "Replay it once the cause is gone; what holds it up is named by its reason and place."
    return Explanation(Verdict.HELD, sentence, evidence, Remedy.REPLAY, advice)


def _stored(
    channel: str, ours: OurFacts, order: OrderTrace, theirs: ChannelFacts, evidence: tuple[Evidence, ...]
) -> Explanation:
    stored = f"Stored as {order.id} at {rfc3339(order.stored_at)}"
    if order.erased:
        when = "" if order.erased_at is None else f" at {rfc3339(order.erased_at)}"
        return Explanation(Verdict.ERASED, f"{stored}; its buyer's data was erased{when}.", evidence)
    if theirs.updated_at is not None and theirs.updated_at > order.channel_updated_at:
        newer = f"{channel} has a newer version of {rfc3339(theirs.updated_at)}"
        remedy, advice = _until_fetched(ours)
        return Explanation(Verdict.STORED, f"{stored}; {newer}, {_next(ours)}.", evidence, remedy, advice)
    return Explanation(Verdict.STORED, f"{stored}, {_delivered(order)}.", evidence)


def _delivered(order: OrderTrace) -> str:
    if order.acknowledged_at is None:
        return "and not acknowledged yet"
    consumer = order.acknowledged_name or order.acknowledged_by
    to = "" if consumer is None else f" to {consumer}"
    which = "" if order.acknowledged_version == order.version else f" as version {order.acknowledged_version}"
    return f"delivered{to} at {rfc3339(order.acknowledged_at)}{which}"


def _absent(channel: str, ours: OurFacts, theirs: ChannelFacts, evidence: tuple[Evidence, ...]) -> Explanation:
    """It is at the marketplace and not here: we look later, from later on, or have passed over it."""
    changed = theirs.updated_at
    when = "" if changed is None else f", changed last at {rfc3339(changed)}"
    if changed is None or changed >= ours.looks_from:
        remedy, advice = _until_fetched(ours)
        sentence = f"{channel} has the order{when}; it is not fetched yet, {_next(ours)}."
        return Explanation(Verdict.NOT_FETCHED, sentence, evidence, remedy, advice)
    advice = "Start a run of orders from that moment; it fetches the order and moves nothing else."
    if changed < ours.orders_from:
        sentence = f"{channel} has the order{when}; that is older than orders_from, {rfc3339(ours.orders_from)}."
        verdict = Verdict.BEFORE_ORDERS_FROM
    else:
        sentence = f"{channel} has the order{when}; no look has brought it although we looked behind that moment."
        verdict = Verdict.MISSED
    return Explanation(verdict, sentence, evidence, Remedy.BACKFILL, advice, backfill_from=changed)


def _until_fetched(ours: OurFacts) -> tuple[Remedy, str]:
    if ours.next_look is None:
        return Remedy.MEND_INTEGRATION, "Orders are not looked for; see the status of the integration."
    return Remedy.WAIT, "Wait for the next look, or start a run of orders."


def _next(ours: OurFacts) -> str:
    if ours.next_look is None:
        return f"and there is no next look: {ours.no_look}"
    return f"next look at {rfc3339(ours.next_look)}"


def _of_ours(ours: OurFacts) -> tuple[Evidence, ...]:
    found: list[Evidence] = []
    if ours.order is None:
        found.append(Evidence(Finding.NOT_STORED, "It is not among our orders of this shop."))
    else:
        found += _of_order(ours.order)
    if ours.held is not None:
        held = ours.held
        text = f"A reply with it is held: {_cause(held)}. It came in {held.attempts} version(s)."
        found.append(Evidence(Finding.HELD, text, held.held_at, held.id))
    return tuple(found)


def _of_order(order: OrderTrace) -> list[Evidence]:
    changed = rfc3339(order.channel_updated_at)
    text = f"Version {order.version} in state {order.state}, changed at the marketplace at {changed}."
    found = [Evidence(Finding.STORED, text, order.stored_at, order.id)]
    if order.acknowledged_at is not None:
        text = f"Version {order.acknowledged_version} was acknowledged."
        found.append(Evidence(Finding.ACKNOWLEDGED, text, order.acknowledged_at, order.acknowledged_by))
    if order.erased:
        found.append(Evidence(Finding.ERASED, "What is personal was erased.", order.erased_at, order.id))
    return found


def _of_looks(ours: OurFacts) -> tuple[Evidence, ...]:
    found = [Evidence(Finding.ORDERS_FROM, "Orders that changed earlier are not asked for.", ours.orders_from)]
    if ours.looked_up_to is not None:
        found.append(
            Evidence(Finding.LOOKED_UP_TO, "The last whole look saw changes up to here.", ours.looked_up_to)
        )
    if ours.next_look is None:
        found.append(Evidence(Finding.NO_LOOK, f"Orders are not looked for: {ours.no_look}."))
    else:
        start = rfc3339(ours.looks_from)
        found.append(Evidence(Finding.NEXT_LOOK, f"It asks for changes from {start} on.", ours.next_look))
    return tuple(found)


def _of_theirs(channel: str, theirs: ChannelFacts) -> Evidence:
    match theirs.has:
        case None:
            return Evidence(Finding.CHANNEL_NOT_ASKED, f"{channel} could not be asked: {theirs.reason}.")
        case False:
            return Evidence(Finding.NOT_AT_CHANNEL, f"{channel} says that there is no such order.")
        case True if theirs.reason is not None:
            text = f"{channel} has it, but it cannot be read: {theirs.reason}."
            return Evidence(Finding.UNREADABLE_AT_CHANNEL, text, theirs.updated_at)
        case True:
            return Evidence(
                Finding.AT_CHANNEL, f"{channel} has it, changed last at this moment.", theirs.updated_at
            )


def _cause(held: HeldOrder) -> str:
    return f"{held.reason} at {held.pointer}" if held.pointer else held.reason
