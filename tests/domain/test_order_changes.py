from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from tests.factories import NOW, a_channel_order, later, order_content

from channel_sync.channels.wish.rules import RULES
from channel_sync.domain.order_changes import (
    ACCEPTED,
    ChangeStage,
    ChangeState,
    Finding,
    OrderChange,
    Parcel,
    finding_in,
    next_step,
)
from channel_sync.domain.order_progress import ChangeKind, OrderProgress, Progress
from channel_sync.domain.orders import OrderState, Tracking

POLLS = RULES.order_changes.polls
DISPATCH = OrderChange(
    id="chg_1",
    account_id="acc_1",
    order_id="ord_1",
    channel_order_id="o1",
    kind=ChangeKind.DISPATCH,
    stage=ChangeStage.SETTLING,
    carrier="Royal Mail",
    tracking_number="RM1",
    origin_country="GB",
    cause=None,
    requested_at=NOW,
    sent_at=NOW,
)
REFUND = replace(DISPATCH, kind=ChangeKind.REFUND, cause="UNABLE_TO_SHIP")
DOUBTFUL = replace(DISPATCH, stage=ChangeStage.DOUBTFUL, doubted_at=NOW)
OURS = Tracking("Royal Mail", "RM1", "GB")
THEIRS = Tracking("UPS", "1Z", "GB")


def an_order(state=OrderState.SHIPPED, *tracking, progress=None):
    return a_channel_order(state=state, content=order_content(tracking=tracking), progress=progress)


def of(kind, progress):
    return OrderProgress(kind, progress)


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (None, Finding.NOTHING),
        (an_order(OrderState.APPROVED), Finding.NOTHING),
        (an_order(OrderState.SHIPPED, OURS), Finding.DONE),
        (an_order(OrderState.SHIPPED, changed(OURS, carrier="ROYAL MAIL ", origin_country=None)), Finding.DONE),
        (an_order(OrderState.SHIPPED, THEIRS, OURS), Finding.NOTHING),
        (an_order(OrderState.SHIPPED, changed(OURS, carrier="UPS")), Finding.NOTHING),
        # Its tracking was taken back, and it is to be shipped again.
        (an_order(OrderState.APPROVED, OURS), Finding.NOTHING),
        (an_order(OrderState.REFUNDED, OURS), Finding.DONE),
        (an_order(progress=of(ChangeKind.DISPATCH, Progress.RUNNING)), Finding.RUNNING),
        (an_order(progress=of(ChangeKind.DISPATCH, Progress.FAILED)), Finding.REFUSED),
        (an_order(progress=of(ChangeKind.REFUND, Progress.FAILED)), Finding.NOTHING),
        (an_order(progress=of(None, Progress.RUNNING)), Finding.NOTHING),
    ],
)
def test_an_order_shows_what_became_of_a_parcel(order, found):
    assert finding_in(DISPATCH, order) is found


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (an_order(OrderState.REFUNDED), Finding.DONE),
        (an_order(OrderState.SHIPPED), Finding.NOTHING),
        (an_order(progress=of(ChangeKind.REFUND, Progress.RUNNING)), Finding.RUNNING),
        (an_order(progress=of(ChangeKind.DISPATCH, Progress.RUNNING)), Finding.NOTHING),
    ],
)
def test_an_order_shows_what_became_of_a_refund(order, found):
    assert finding_in(REFUND, order) is found


@pytest.mark.parametrize(
    ("found", "stage", "code", "next_at"),
    [
        (Finding.RUNNING, ChangeStage.SETTLING, None, later(6)),
        (Finding.NOTHING, ChangeStage.SETTLING, None, later(6)),
        (Finding.REFUSED, ChangeStage.FAILED, "not_carried_out", None),
    ],
)
def test_what_was_taken_is_looked_at_until_it_is_settled(found, stage, code, next_at):
    step = next_step(DISPATCH, found, POLLS, later(1))
    assert (step.stage, step.code, step.next_at) == (stage, code, next_at)


def test_what_is_there_is_accepted_whatever_was_known_of_it():
    assert next_step(DISPATCH, Finding.DONE, POLLS, later(1)) == ACCEPTED
    assert next_step(DOUBTFUL, Finding.DONE, POLLS, later(1)) == ACCEPTED


@pytest.mark.parametrize("found", [Finding.NOTHING, Finding.REFUSED])
@pytest.mark.parametrize(
    ("at_s", "stage", "next_at"),
    [
        (1, ChangeStage.DOUBTFUL, later(5)),
        (16, ChangeStage.DOUBTFUL, later(30)),
        (59, ChangeStage.DOUBTFUL, later(60)),
        (60, ChangeStage.REQUESTED, later(60)),
    ],
)
def test_what_is_in_doubt_is_told_again_once_it_is_surely_lost(found, at_s, stage, next_at):
    step = next_step(DOUBTFUL, found, POLLS, later(at_s))
    assert (step.stage, step.next_at) == (stage, next_at)


def test_a_doubt_begins_anew_while_the_marketplace_is_at_a_change_of_the_kind():
    step = next_step(DOUBTFUL, Finding.RUNNING, POLLS, later(55))
    assert (step.stage, step.doubted_at) == (ChangeStage.DOUBTFUL, later(55))


@pytest.mark.parametrize("change", [DISPATCH, DOUBTFUL])
def test_what_runs_for_more_than_a_day_is_not_waited_for(change):
    step = next_step(change, Finding.RUNNING, POLLS, later(86_401))
    assert (step.stage, step.code) == (ChangeStage.FAILED, "not_confirmed")


@pytest.mark.parametrize("stage", ChangeStage)
def test_a_change_is_pending_until_it_is_settled(stage):
    settled = {ChangeStage.ACCEPTED: ChangeState.ACCEPTED, ChangeStage.FAILED: ChangeState.FAILED}
    assert replace(DISPATCH, stage=stage).state is settled.get(stage, ChangeState.PENDING)


def test_a_parcel_is_what_the_change_says():
    assert DISPATCH.parcel == Parcel("Royal Mail", "RM1", "GB")
