from datetime import timedelta

import pytest
from tests.factories import NOW

from channel_sync.domain.errors import (
    AccessTokenRejected,
    ChannelRefused,
    ChannelSyncError,
    ChannelUnavailable,
    NoAnswer,
    RateLimited,
    ReplyNotUnderstood,
    StorageUnavailable,
)
from channel_sync.domain.runs import Counts, Outcome, RunError, RunStatus, Trigger
from channel_sync.flows.scheduling.result import CANCELLED, RunResult, failed, finished, run_error, says_something

FLAW = ReplyNotUnderstood("order_list_unsorted", "Not in order.", request_id="req-1")
TOLD = RunError("order_list_unsorted", "data", "channel", False, "Not in order.")


@pytest.mark.parametrize("counts", [Counts(created=1), Counts(created=1, held=1), Counts(failed=2), Counts()])
def test_a_walk_without_a_flaw_came_to_what_its_counts_are(counts):
    assert finished(counts, None, NOW) == RunResult(RunStatus.FINISHED, counts.outcome())


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        (Counts(created=1), Outcome.PARTIAL),
        (Counts(), Outcome.PARTIAL),
        (Counts(created=1, failed=1), Outcome.PARTIAL),
        (Counts(failed=1), Outcome.FAILED),
    ],
)
def test_a_flaw_makes_a_walk_partial_at_best_and_is_named(counts, outcome):
    assert finished(counts, FLAW, NOW) == RunResult(RunStatus.FINISHED, outcome, TOLD, channel_request_id="req-1")


def test_a_walk_that_an_error_stopped_has_failed_and_says_whose_call_it_was():
    assert failed(FLAW, NOW) == RunResult(RunStatus.FINISHED, Outcome.FAILED, TOLD, channel_request_id="req-1")


def test_a_failure_of_our_own_store_is_known_as_such():
    result = failed(StorageUnavailable(), NOW)

    assert (result.by_store, result.channel_request_id) == (True, None)
    assert not failed(FLAW, NOW).by_store


def test_how_long_the_marketplace_asks_us_to_wait_is_told_as_a_moment():
    result = failed(RateLimited("Slower.", retry_after_s=90), NOW)

    assert result.retry_after_s == 90
    assert result.error is not None
    assert result.error.retry_at == NOW + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("error", "kind", "origin", "retryable"),
    [
        (RateLimited("Slower."), "rate_limit", "channel", True),
        (NoAnswer("timeout", "None."), "network", "channel", True),
        (ChannelUnavailable("server_error", "Down."), "channel_outage", "channel", True),
        (AccessTokenRejected("access_token_rejected", "No."), "auth", "channel", False),
        (ChannelRefused("1004", "No."), "config", "channel", False),
        (FLAW, "data", "channel", False),
        (StorageUnavailable(), "internal", "service", True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_the_class_of_an_error_says_who_has_to_act(error: ChannelSyncError, kind, origin, retryable):
    told = run_error(error, NOW)

    assert (told.kind, told.origin, told.retryable, told.retry_at) == (kind, origin, retryable, None)
    assert (told.code, told.message) == (error.code, error.message)


@pytest.mark.parametrize(
    ("trigger", "outcome", "is_told"),
    [
        (Trigger.SCHEDULE, Outcome.NO_CHANGES, False),
        (Trigger.CATCH_UP, Outcome.NO_CHANGES, False),
        (Trigger.SCHEDULE, Outcome.SUCCESS, True),
        (Trigger.MANUAL, Outcome.NO_CHANGES, True),
        (Trigger.BACKFILL, Outcome.NO_CHANGES, True),
    ],
)
def test_what_brings_no_news_is_told_to_the_person_alone_who_waits_for_it(trigger, outcome, is_told):
    assert says_something(trigger, RunResult(RunStatus.FINISHED, outcome)) is is_told


def test_a_run_that_was_cancelled_is_told():
    assert says_something(Trigger.SCHEDULE, CANCELLED)
