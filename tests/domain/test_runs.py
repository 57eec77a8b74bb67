from channel_sync.domain.runs import Counts, Outcome


def test_counts_of_pages_add_up_to_what_was_seen():
    total = Counts(created=3, held=1) + Counts(updated=2, unchanged=5, ignored=1, failed=1)
    assert total == Counts(created=3, updated=2, unchanged=5, held=1, ignored=1, failed=1)
    assert total.seen == 13


def test_a_run_that_only_saw_known_things_had_no_changes():
    assert Counts(unchanged=500, ignored=3).outcome() is Outcome.NO_CHANGES


def test_a_run_that_had_to_hold_something_is_partial():
    assert Counts(created=499, held=1).outcome() is Outcome.PARTIAL


def test_a_run_all_of_which_failed_has_failed():
    assert Counts(failed=20).outcome() is Outcome.FAILED
    assert Counts(failed=20, updated=1).outcome() is Outcome.PARTIAL


def test_a_run_that_brought_news_is_a_success():
    assert Counts(updated=1).outcome() is Outcome.SUCCESS
