from dataclasses import replace

import pytest
from tests.factories import an_integration

from channel_sync.domain.integrations import IntegrationSettings, OrderSettings
from channel_sync.domain.runs import RunKind, RunStatus
from channel_sync.domain.stock import StockSettings
from channel_sync.flows.scheduling.intervals import RunPace
from channel_sync.flows.scheduling.result import RunResult

PACE = RunPace(orders_s=100, stock_s=10, listings_s=1000, reconcile_s=10_000)
SHOP = an_integration()
OWN = replace(SHOP, settings=IntegrationSettings(OrderSettings(interval_s=300), StockSettings(interval_s=600)))
FAILED = RunResult(RunStatus.FINISHED)
OFTEN = range(300)


@pytest.mark.parametrize(
    ("kind", "usual", "own"),
    [
        (RunKind.ORDERS, 100, 300),
        (RunKind.STOCK, 10, 600),
        (RunKind.LISTINGS, 1000, 1000),
        (RunKind.RECONCILE, 10_000, 10_000),
    ],
)
def test_an_integration_has_the_usual_pace_or_one_of_its_own(kind, usual, own):
    assert (PACE.interval_s(SHOP, kind), PACE.interval_s(OWN, kind)) == (usual, own)


@pytest.mark.parametrize(("reason", "seconds"), [("contract", 3000), ("other", 300), (None, 300)])
def test_orders_that_cannot_be_read_are_asked_for_a_tenth_as_often(reason, seconds):
    assert PACE.interval_s(replace(OWN, degraded_reason=reason), RunKind.ORDERS) == seconds


def spread(seconds, low, high):
    """Whether the times lie between both, and come near them."""
    nearby = (high - low) / 5
    return low <= min(seconds) < low + nearby and high - nearby < max(seconds) <= high


def test_the_next_run_is_up_to_a_twentieth_early_or_late():
    waits = [PACE.until_next(SHOP, RunKind.ORDERS).total_seconds() for _ in OFTEN]

    assert spread(waits, 95, 105)


@pytest.mark.parametrize(("shop", "low", "high"), [(SHOP, 57, 63), (OWN, 570, 630)])
def test_a_shop_without_stock_to_send_is_looked_at_once_a_minute_or_more_seldom(shop, low, high):
    assert spread([PACE.until_next_look(shop).total_seconds() for _ in OFTEN], low, high)


@pytest.mark.parametrize(
    ("failures", "longest_s"),
    [(0, 15), (1, 30), (2, 60), (3, 120), (5, 480), (6, 900), (10, 900), (4000, 900)],
)
def test_tries_come_half_as_often_each_time_down_to_one_in_a_quarter_of_an_hour(failures, longest_s):
    waits = [PACE.until_retry(SHOP, RunKind.ORDERS, failures, FAILED).total_seconds() for _ in OFTEN]

    assert spread(waits, 0.75 * longest_s, 1.05 * longest_s)


def test_the_first_try_after_a_failure_is_no_later_than_the_next_run_would_be():
    waits = [PACE.until_retry(SHOP, RunKind.STOCK, 0, FAILED).total_seconds() for _ in OFTEN]

    assert spread(waits, 7.5, 10.5)


def test_after_a_failure_of_our_own_store_it_is_tried_at_once():
    result = replace(FAILED, by_store=True)

    assert PACE.until_retry(OWN, RunKind.ORDERS, 0, result).total_seconds() <= 1.05
    assert PACE.until_retry(OWN, RunKind.ORDERS, 2, result).total_seconds() >= 3


def test_no_try_is_made_before_the_marketplace_wants_it():
    result = replace(FAILED, retry_after_s=2000)

    waits = [PACE.until_retry(SHOP, RunKind.ORDERS, 0, result).total_seconds() for _ in OFTEN]

    assert spread(waits, 2000, 2100)
