from channel_sync.api.http.buckets import Buckets


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_burst_is_allowed_and_not_one_more():
    buckets = Buckets(1, 3, Clock())
    assert [buckets.take("a").allowed for _ in range(4)] == [True, True, True, False]


def test_remaining_counts_down():
    buckets = Buckets(1, 3, Clock())
    assert [buckets.take("a").remaining for _ in range(4)] == [2, 1, 0, 0]


def test_an_empty_bucket_says_how_long_to_wait():
    buckets = Buckets(0.5, 1, Clock())
    buckets.take("a")
    assert buckets.take("a").wait_s == 2


def test_tokens_flow_back_with_time():
    clock = Clock()
    buckets = Buckets(2, 2, clock)
    buckets.take("a"), buckets.take("a")
    clock.now = 0.5
    assert [buckets.take("a").allowed for _ in range(2)] == [True, False]


def test_callers_do_not_share_a_bucket():
    buckets = Buckets(1, 1, Clock())
    assert buckets.take("a").allowed
    assert buckets.take("b").allowed
